/** How news of a job is taken in, whatever order it comes in: a late answer never turns the job back. */
import { isDone } from "./rules";
import type { Job } from "./types";

const RANK = { pending: 0, processing: 1, completed: 2, failed: 2 } as const;

/** Return the later of two states of one job, with the items of both where they belong together. */
export function mergeJob(old: Job | undefined, next: Job): Job {
  if (old?.id !== next.id) return next;
  if (isDone(old) || isOlder(next, old)) return old;
  if (isDone(next)) return next;
  return { ...next, items: mergeItems(old, next) };
}

function isOlder(next: Job, old: Job): boolean {
  if (next.seq !== undefined && old.seq !== undefined) return next.seq < old.seq;
  return RANK[next.status] < RANK[old.status] || (!isDone(next) && next.progress < old.progress);
}

/** Keep items where they were seen first; those that are not in the later state are of an attempt that failed. */
function mergeItems(old: Job, next: Job): unknown[] {
  const [before, after] = [old.items ?? [], next.items ?? []];
  const isSame = next.seq !== undefined && next.seq === old.seq && next.attempt === old.attempt;
  if (isSame && before.length > after.length) return before;
  const known = new Set(before.map(textOf));
  const remaining = new Set(after.map(textOf));
  return [
    ...before.filter((item) => remaining.has(textOf(item))),
    ...after.filter((item) => !known.has(textOf(item))),
  ];
}

const textOf = (item: unknown): string => JSON.stringify(item);

/** Add what an event says of a job, which is all of it but its items, links and place in the queue. */
export function withChange(job: Job, change: Partial<Job>): Job {
  const queue = change.status === "pending" ? job.queue : null;
  return { ...job, ...change, queue, items: job.items, links: job.links };
}

/** Add an item that was finished; one that is there already is not added again. */
export function withItem(job: Job, item: unknown): Job {
  const items = job.items ?? [];
  const text = textOf(item);
  return items.some((known) => textOf(known) === text) ? job : { ...job, items: [...items, item] };
}
