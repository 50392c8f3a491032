/** Rules of following a job: when it is over, and when to ask again. */
import type { Job } from "../types.js";
import { ApiError, isGoneError, isRefusal } from "./error.js";

export const POLL_MS = 3_000;
export const HIDDEN_POLL_MS = 15_000;
export const POLL_TIMEOUT_MS = 10_000;
const MAX_BACKOFF_MS = 30_000;
const MIN_WAIT_MS = 250;
const MAX_WAIT_MS = 5 * 60_000;

export const isDone = (job: Job | undefined): boolean =>
  job?.status === "completed" || job?.status === "failed";

export const isCancelled = (job: Job | undefined): boolean =>
  job?.status === "failed" && (job.state === "cancelled" || job.error_detail?.code === "cancelled");

/** Return whether the server has forgotten the job; see `goneJob`. */
export const isGone = (job: Job): boolean => job.state === "gone";

/** Return the finished items so far; of a completed job, the elements of its result. */
export function itemsOf<Item>(job: Job<unknown, Item> | undefined): Item[] {
  if (job?.status === "completed" && Array.isArray(job.result)) return job.result as Item[];
  return job?.items ?? (NOTHING as Item[]);
}
const NOTHING: unknown[] = [];

/** What a query knows of a job: as in the state of TanStack Query. */
export interface Look {
  data: Job | undefined;
  error: unknown;
  /** Times of the last answer and the last failure in ms; 0: there was none. */
  dataUpdatedAt: number;
  errorUpdatedAt: number;
}

/**
 * Return the pause before the next request in ms; false: no more requests.
 *
 * After a failure it is as long as there has been no answer: 3, 6, 12, 24, 30 s while a server is down.
 */
export function nextLookMs(
  { data: job, error, dataUpdatedAt, errorUpdatedAt }: Look,
  isHidden: boolean,
): number | false {
  if ((job ? isDone(job) : isGoneError(error)) || isRefusal(error)) return false;
  const silentMs = error && dataUpdatedAt ? Math.min(errorUpdatedAt - dataUpdatedAt, MAX_BACKOFF_MS) : 0;
  const retryAfterMs = (error instanceof ApiError && error.retryAfterMs) || 0;
  const usualMs = error ? POLL_MS : (job?.poll_after_ms ?? POLL_MS);
  const wishedMs = Math.max(usualMs, silentMs, retryAfterMs, isHidden ? HIDDEN_POLL_MS : MIN_WAIT_MS);
  return Math.min(wishedMs, MAX_WAIT_MS);
}

/** Return the pause after so many failures in ms: 3, 6, 12, 24, 30 s. */
export const backoffMs = (failures: number): number =>
  Math.min(POLL_MS * 2 ** (failures - 1), MAX_BACKOFF_MS);

/** Return whether a job that was read `ageMs` ago may be read with others, sooner than it is due. */
export function mayJoin(job: Job | undefined, ageMs: number): boolean {
  const due = job?.poll_after_ms ?? POLL_MS;
  return ageMs >= (due > POLL_MS ? due : due / 2);
}

/** Return the end of a job that the server no longer knows, so that nothing waits for it. */
export function goneJob(known: Pick<Job, "id" | "type"> & Partial<Job>): Job {
  return {
    progress: 0,
    message: "",
    created_at: "1970-01-01T00:00:00Z",
    ...known,
    status: "failed",
    state: "gone",
    done: true,
    error: "This job is no longer known: it ended over 24 hours ago, or was deleted",
  };
}
