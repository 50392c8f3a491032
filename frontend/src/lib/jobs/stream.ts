/** One job's event stream: held open, resumed where it broke off, given up where the server has none. */
import { problemOf, send } from "./http";
import { eventParser, type ServerEvent } from "./events";
import { backoffMs } from "./rules";

/** The server sends a comment every 10 s; a connection that is silent for longer than this is dead. */
export const SILENCE_MS = 25_000;
const FIRST_PAUSE_MS = 1_000;

export interface Following {
  jobId: string;
  signal: AbortSignal;
  /** The `seq` that is known already. */
  after: () => number | undefined;
  onEvent: (event: ServerEvent) => void;
  onLive: (live: boolean) => void;
}

/** Follow until the job has ended or the server offers no events; polling goes on all the while. */
export async function follow(following: Following): Promise<void> {
  for (let failures = 0; !following.signal.aborted; failures += 1) {
    const outcome = await readOnce(following).catch(() => "broken" as const);
    following.onLive(false);
    if (outcome === "over") return;
    if (outcome === "read") failures = 0;
    await pause(failures === 0 ? FIRST_PAUSE_MS : backoffMs(failures), following.signal);
  }
}

/** `over`: nothing more will come; `read`: something came, then the connection ended; `broken`: nothing came. */
async function readOnce({
  jobId,
  signal,
  after,
  onEvent,
  onLive,
}: Following): Promise<"over" | "read" | "broken"> {
  const connection = new AbortController();
  let reader: ReadableStreamDefaultReader<string> | undefined;
  const stop = () => {
    connection.abort();
    reader?.cancel().catch(() => undefined);
  };
  let timer = setTimeout(stop, SILENCE_MS);
  signal.addEventListener("abort", stop);
  try {
    const seq = after();
    const headers = {
      Accept: "text/event-stream",
      ...(seq === undefined ? {} : { "Last-Event-ID": String(seq) }),
    };
    const response = await send(`/jobs/${jobId}/events`, { headers, signal: connection.signal });
    if (response.status === 204) return "over";
    if (!response.ok) {
      const { isRetryable, status } = await problemOf(response);
      return isRetryable || status === 401 ? "broken" : "over"; // another key may follow
    }
    if (!response.body || !response.headers.get("Content-Type")?.startsWith("text/event-stream"))
      return "over";
    onLive(true);
    const heardOf = new Set<string>();
    const parse = eventParser((event) => {
      heardOf.add(event.name);
      onEvent(event);
    });
    reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let heard = false;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(stop, SILENCE_MS);
      heard = true;
      parse(part.value);
      if (heardOf.has("done")) return "over";
    }
    return heard ? "read" : "broken";
  } finally {
    clearTimeout(timer);
    stop();
    signal.removeEventListener("abort", stop);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
