/** The bars of all jobs that a page shows: one for each job, wherever and however often it is shown. */
import { type Bar, barOf, saidOf } from "./bar";
import { isDone } from "./rules";
import type { Connection, Job } from "./types";

/** So often bars move on; those who want no motion see whole percents, less often. */
export const TICK_MS = 500;
export const STEP_MS = 2_000;
const MOST_KEPT = 300;

export interface BarView {
  readonly percent: number;
  /** Seconds since the server said what is known. */
  readonly aged: number;
  /** The time of it, in ms, to the second. */
  readonly at: number;
}

interface Kept {
  bar: Bar;
  view: BarView;
  job: Job;
  connection: Connection;
}

const kept = new Map<string, Kept>();
const fresh = new WeakMap<Job, BarView>();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Take in what is known of a job in one place; what is older than is known from another says nothing. */
export function takeBar(job: Job, connection: Connection): void {
  const before = kept.get(job.id);
  if (before && isOlder(job, before.job)) return;
  const bar = barOf(before?.bar, job, connection, Date.now());
  kept.delete(job.id);
  kept.set(job.id, { bar, job, connection, view: viewOf(bar, before?.view) });
  const [oldest] = kept.keys();
  if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
  tell();
}

/** Return what is shown of a job: the same object until that changes. */
export function barView(job: Job): BarView {
  const known = kept.get(job.id);
  if (known && (known.bar.said === saidOf(job) || isOlder(job, known.job))) return known.view;
  const view = fresh.get(job) ?? {
    percent: Math.max(known?.bar.shown ?? 0, job.progress),
    aged: 0,
    at: Date.now(),
  };
  fresh.set(job, view);
  return view;
}

const first = new WeakMap<Job, BarView>();

/** What a server renders of a job, and a browser at first: nothing in it depends on the moment. */
export function firstView(job: Job): BarView {
  const at = Date.parse(job.updated_at ?? job.created_at);
  const view = first.get(job) ?? { percent: job.progress, aged: 0, at };
  first.set(job, view);
  return view;
}

const isOlder = (job: Job, known: Job): boolean => (job.seq ?? 0) < (known.seq ?? 0);

export function onBars(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setTimeout(tick, pause());
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearTimeout(timer);
    timer = undefined;
  };
}

/** Forget all bars, as when somebody else sits down here. */
export function forgetBars(): void {
  kept.clear();
}

function tick(): void {
  timer = setTimeout(tick, pause());
  const now = Date.now();
  for (const each of kept.values()) {
    if (isDone(each.job)) continue;
    each.bar = barOf(each.bar, each.job, each.connection, now);
    each.view = viewOf(each.bar, each.view);
  }
  tell();
}

function viewOf({ shown, since }: Bar, before: BarView | undefined): BarView {
  const now = Date.now();
  const percent = wantsSteps() ? Math.floor(shown) : Math.floor(shown * 10) / 10;
  const aged = Math.max(0, Math.floor((now - since) / 1000));
  const at = Math.floor(now / 1000) * 1000;
  const isSame = before?.percent === percent && before.aged === aged && before.at === at;
  return isSame ? before : { percent, aged, at };
}

const wantsSteps = (): boolean =>
  typeof matchMedia === "function" && matchMedia("(prefers-reduced-motion: reduce)").matches;

const pause = (): number => (wantsSteps() ? STEP_MS : TICK_MS);

const tell = (): void => listeners.forEach((listener) => listener());
