/** Server-sent events as text: cut into events, whatever pieces the text comes in. */

export interface ServerEvent {
  name: string;
  data: string;
}

/** Return a function that takes the text in, piece by piece, and returns the events that are complete. */
export function eventParser(): (text: string) => ServerEvent[] {
  let rest = "";
  return (text) => {
    const blocks = (rest + text).split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? "";
    return blocks.map(readEvent).filter(({ data }) => data);
  };
}

function readEvent(block: string): ServerEvent {
  const valuesOf = (field: string) =>
    [...block.matchAll(new RegExp(`^${field}: ?(.*?)\\r?$`, "gm"))].map(([, value]) => value).join("\n");
  return { name: valuesOf("event"), data: valuesOf("data") };
}
