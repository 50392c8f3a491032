/** One connection to the event stream of a job. */
import type { Job } from "../types.js";
import { ApiError, readError } from "./error.js";
import { eventParser } from "./events.js";
import { type Http, jobPath } from "./http.js";
import { startLimit } from "./limit.js";
import { withEvent } from "./merge.js";
import { POLL_TIMEOUT_MS } from "./rules.js";

/** The server sends a comment every 10 s; a connection that is silent for longer than this is dead. */
const SILENCE_MS = 25_000;

export interface Following {
  jobId: string;
  signal: AbortSignal | undefined;
  /** Return the job as it is known already. */
  known: () => Job | undefined;
  onLive?: (isLive: boolean) => void;
}

/**
 * Yield the job after each event, until it has ended or the connection has.
 *
 * Throws what ended it; an ApiError that is not retryable: the server has no events of the job, or refuses the caller.
 */
export async function* follow(
  http: Http,
  { jobId, signal, known, onLive }: Following,
): AsyncGenerator<Job, void> {
  // The first line comes at once, unless a proxy holds it up.
  const limit = startLimit(POLL_TIMEOUT_MS, signal);
  try {
    const seq = known()?.seq;
    const headers = {
      Accept: "text/event-stream",
      ...(seq !== undefined && { "Last-Event-ID": String(seq) }),
    };
    const used = await http.readToken();
    const response = await http.send(`${jobPath(jobId)}/events`, { headers, signal: limit.signal });
    if (!response.ok) throw await readError(response);
    if (!response.body || !response.headers.get("Content-Type")?.startsWith("text/event-stream"))
      throw new ApiError("The job has no events", {});
    onLive?.(true);
    const parse = eventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    limit.signal.addEventListener("abort", () => void reader.cancel().catch(() => undefined));
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      limit.restart(SILENCE_MS);
      for (const { name, data } of parse(part.value)) {
        const news = JSON.parse(data) as Record<string, unknown>;
        if (name === "closed") {
          // A token that was renewed meanwhile gets a new connection.
          if ((await http.readToken()) !== used) return;
          http.onUnauthorized(used);
          throw closedError(String(news.reason));
        }
        const job = withEvent(known(), name, news);
        if (job) yield job;
        if (name === "done") return;
      }
    }
  } finally {
    limit.end();
    onLive?.(false);
  }
}

const closedError = (reason: string): ApiError =>
  new ApiError(`The API key or token has ended (${reason}): sign in again`, {
    status: 401,
    code: `credential_${reason}`,
  });
