/** How news of a job is taken in, whatever order it comes in: a late answer never turns the job back. */
import { isDone } from "./rules.js";
import type { Job } from "../types.js";

/** Return the later of two states of one job, with the items of both where they belong together. */
export function mergeJob(old: Job | undefined, next: Job): Job {
  if (old?.id !== next.id) return next;
  if (isDone(old) || isOlder(next, old)) return old;
  if (isDone(next)) return next;
  return { ...next, items: mergeItems(old, next) };
}

function isOlder(next: Job, old: Job): boolean {
  if (next.seq !== undefined && old.seq !== undefined) return next.seq < old.seq;
  const isBack = next.status === "pending" && old.status === "processing";
  return !isDone(next) && (isBack || next.progress < old.progress);
}

/** Keep items where they were seen first; those that are not in the later state are of an attempt that failed. */
function mergeItems(old: Job, next: Job): unknown[] {
  const [before, after] = [old.items ?? [], next.items ?? []];
  const isSame = next.seq !== undefined && next.seq === old.seq && next.attempt === old.attempt;
  if (isSame && before.length > after.length) return before;
  const [known, remaining] = [before.map(textOf), after.map(textOf)];
  return [
    ...before.filter((item) => remaining.includes(textOf(item))),
    ...after.filter((item) => !known.includes(textOf(item))),
  ];
}

const textOf = (item: unknown): string => JSON.stringify(item);

/** Return a job after an event of its stream; undefined: the event says nothing of it. */
export function withEvent(
  job: Job | undefined,
  name: string,
  news: Record<string, unknown>,
): Job | undefined {
  if (name === "snapshot" || name === "done") return news as Job;
  if (!job) return undefined;
  if (name === "item") return withItem(job, news.value);
  if (name !== "status" && name !== "progress") return undefined;
  // The event has all of the job but its items, links and place in the queue.
  const { items, links } = job;
  return { ...job, ...news, queue: news.status === "pending" ? job.queue : null, items, links };
}

function withItem(job: Job, item: unknown): Job {
  const items = job.items ?? [];
  return items.map(textOf).includes(textOf(item)) ? job : { ...job, items: [...items, item] };
}
