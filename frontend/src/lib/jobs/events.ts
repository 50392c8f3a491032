/** Server-sent events as text: cut into events, whatever pieces the text comes in. */

export interface ServerEvent {
  name: string;
  data: string;
  id: string | undefined;
}

/** Return what takes the text in, piece by piece, and calls `onEvent` for each event that is complete. */
export function eventParser(onEvent: (event: ServerEvent) => void): (text: string) => void {
  let rest = "";
  let fields = new Map<string, string>();
  const line = (text: string) => {
    if (text === "") {
      const data = fields.get("data");
      if (data !== undefined) onEvent({ name: fields.get("event") ?? "message", data, id: fields.get("id") });
      fields = new Map();
      return;
    }
    const at = text.indexOf(":");
    if (at === 0) return;
    const name = at < 0 ? text : text.slice(0, at);
    const value = at < 0 ? "" : text.slice(at + 1).replace(/^ /, "");
    const before = name === "data" ? fields.get("data") : undefined;
    fields.set(name, before === undefined ? value : `${before}\n${value}`);
  };
  return (text) => {
    // A \r at the end may be the first half of \r\n: it waits for what follows.
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    lines.forEach(line);
  };
}
