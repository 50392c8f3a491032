/** The bars of all jobs on a page: one for each job, wherever and however often it is shown. */
import { type Bar, barOf, saidOf } from "./bar.js";
import { isDone } from "../client/rules.js";
import type { Connection, Job } from "../types.js";

/** The pause between two steps of a bar; with reduced motion, bars move by whole percents, less often. */
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

const fresh = new WeakMap<Job, BarView>();
const first = new WeakMap<Job, BarView>();

export class Bars {
  private readonly kept = new Map<string, Kept>();
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Take in what is known of a job in one place; a state older than that of another place says nothing. */
  take(job: Job, connection: Connection): void {
    const { kept } = this;
    const before = kept.get(job.id);
    if (before && isOlder(job, before.job)) return;
    const bar = barOf(before?.bar, job, connection, Date.now());
    kept.delete(job.id);
    kept.set(job.id, { bar, job, connection, view: viewOf(bar, before?.view) });
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    this.notify();
  }

  /** Return what is shown of a job: the same object until that changes. */
  view(job: Job): BarView {
    const known = this.kept.get(job.id);
    if (known && (known.bar.said === saidOf(job) || isOlder(job, known.job))) return known.view;
    const view = fresh.get(job) ?? {
      percent: Math.max(known?.bar.shown ?? 0, job.progress),
      aged: 0,
      at: Date.now(),
    };
    fresh.set(job, view);
    return view;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    this.timer ??= setTimeout(this.tick, pause());
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      clearTimeout(this.timer);
      this.timer = undefined;
    };
  };

  private readonly tick = (): void => {
    this.timer = setTimeout(this.tick, pause());
    const now = Date.now();
    for (const each of this.kept.values()) {
      if (isDone(each.job)) continue;
      each.bar = barOf(each.bar, each.job, each.connection, now);
      each.view = viewOf(each.bar, each.view);
    }
    this.notify();
  };

  private notify(): void {
    this.listeners.forEach((listener) => listener());
  }
}

/** Return what a server renders of a job, and a browser at first: nothing in it depends on the moment. */
export function firstView(job: Job): BarView {
  const at = Date.parse(job.updated_at ?? job.created_at);
  const view = first.get(job) ?? { percent: job.progress, aged: 0, at };
  first.set(job, view);
  return view;
}

const isOlder = (job: Job, known: Job): boolean => (job.seq ?? 0) < (known.seq ?? 0);

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
