/** The rules of following a job: when it is over, and when to look again. */
import type { Job } from "./types";

export const POLL_MS = 3_000;
export const HIDDEN_POLL_MS = 15_000;
export const POLL_TIMEOUT_MS = 10_000;
export const BACKOFF_MS = [3_000, 6_000, 12_000, 24_000, 30_000] as const;
const LONGEST_WAIT_MS = 5 * 60_000;

export const isDone = (job: Job): boolean => job.status === "completed" || job.status === "failed";

export const isCancelled = (job: Job): boolean =>
  job.status === "failed" && (job.state === "cancelled" || job.error_detail?.code === "cancelled");

/** Whether the server has forgotten the job; see `goneJob`. */
export const isGone = (job: Job): boolean => job.state === "gone";

/** What is there of the result: finished items while the job runs, all of them once it is completed. */
export function itemsOf(job: Job | undefined): unknown[] {
  if (job?.status === "completed" && Array.isArray(job.result)) return job.result as unknown[];
  return job?.items ?? NOTHING;
}
const NOTHING: unknown[] = [];

export interface Look {
  job: Job | undefined;
  /** How many looks failed since the last that did not. */
  failures: number;
  /** What the last answer said in Retry-After. */
  retryAfterMs: number | undefined;
  hidden: boolean;
}

/** How long to wait before the next look; false: never again. */
export function nextLookMs({ job, failures, retryAfterMs = 0, hidden }: Look): number | false {
  if (job && isDone(job)) return false;
  const usual = failures > 0 ? backoffMs(failures) : (job?.poll_after_ms ?? POLL_MS);
  const wished = Math.max(usual, retryAfterMs, hidden ? HIDDEN_POLL_MS : 0);
  return Math.min(Math.max(wished, 250), LONGEST_WAIT_MS);
}

export function backoffMs(failures: number): number {
  return BACKOFF_MS[Math.min(failures, BACKOFF_MS.length) - 1] ?? POLL_MS;
}

/** Whether a job that was last seen `ageMs` ago may be asked for along with others, sooner than it is due. */
export function mayJoin(job: Job | undefined, ageMs: number): boolean {
  const due = job?.poll_after_ms ?? POLL_MS;
  return ageMs >= (due > POLL_MS ? due : due / 2);
}

/** What stands for a job that the server no longer knows: it ends here, so that nobody waits for it. */
export function goneJob(known: Pick<Job, "id" | "type"> & Partial<Job>): Job {
  const error = "This job is no longer known: it ended more than 24 hours ago, or was deleted";
  return {
    progress: 0,
    message: "",
    created_at: new Date(0).toISOString(),
    ...known,
    status: "failed",
    state: "gone",
    done: true,
    error,
    error_detail: { code: "job_not_found", message: error, retryable: false, retry_after_seconds: null },
  };
}
