/** What a bar shows between two words of the server: it moves on as the estimate says, and never past what is true. */
import { isDone } from "../client/rules.js";
import type { Connection, Job } from "../types.js";

const STARTED = 20;
const GENERATED = 79;
/** The most that the server estimates to be done: the end is not estimated, it happens. */
const ALMOST = 0.995;
/** What the server keeps back: of what the interval has beyond the estimate, and of the time of the last steps. */
const RESERVE = 0.2;
const NEAR_END = 0.95;
const LAST_STEPS_SECONDS = 7;
const SLOW = "(still working, slower than usual)";

export interface Bar {
  readonly jobId: string;
  /** Tells one word of the server from another. */
  readonly said: string;
  /** When that was first heard here, in ms: the clocks of server and page need not agree. */
  readonly since: number;
  /** Percent, not whole. It never goes back, whatever is said later. */
  readonly shown: number;
}

/** Return what is shown at the moment `now` (ms), after what was shown before. */
export function barOf(before: Bar | undefined, job: Job, connection: Connection, now: number): Bar {
  const past = before?.jobId === job.id ? before : undefined;
  const said = saidOf(job);
  const since = past?.said === said ? past.since : now;
  const isLost = connection === "offline" || connection === "reconnecting" || connection === "refused";
  const reached = isLost ? job.progress : reachedBy(job, Math.max(0, now - since) / 1000);
  return { jobId: job.id, said, since, shown: Math.max(past?.shown ?? 0, reached) };
}

export const saidOf = ({ seq, updated_at, status, progress, eta }: Job): string =>
  [seq, updated_at, status, progress, eta?.seconds].join();

/** Return the percent that the server would show by now, had it nothing else to say; at least what it said. */
function reachedBy(job: Job, seconds: number): number {
  const { eta, progress } = job;
  if (!eta || !moves(job) || seconds > eta.high) return progress;
  // A job that has not ended yet may well take until the far end of the interval.
  const expected = eta.seconds - seconds + RESERVE * (eta.high - eta.seconds);
  const left = Math.max(expected, (eta.high - seconds) / 2);
  const before = fractionOf(job);
  let fraction = before + (1 - before) * (seconds > 0 ? seconds / (seconds + left) : 0);
  const slowly = before + seconds / (GENERATED - STARTED) / LAST_STEPS_SECONDS;
  fraction = Math.min(ALMOST, fraction, Math.max(NEAR_END, slowly));
  return Math.max(progress, STARTED + (GENERATED - STARTED) * fraction);
}

/** Whether the server moves its own number on by an estimate: while it generates, and not when it says that it waits. */
function moves(job: Job): boolean {
  const { state = "running", status, progress, message } = job;
  if (isDone(job) || status !== "processing" || state !== "running") return false;
  return progress >= STARTED && progress <= GENERATED && !message.includes(SLOW);
}

function fractionOf({ progress_source, fraction, progress }: Job): number {
  const shown = (progress - STARTED) / (GENERATED - STARTED);
  return progress_source === "simulated" ? shown : (fraction ?? shown);
}
