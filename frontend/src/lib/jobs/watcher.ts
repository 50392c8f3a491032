/** Follows all jobs of a page: one request for all that are due, event streams for the few that are looked at. */
import { ApiError, ask, isGoneError } from "./http";
import { follow } from "./stream";
import { goneJob, isDone, nextLookMs } from "./rules";
import { withChange, withItem } from "./merge";
import { entryOfJob } from "./registry";
import { takeSlot } from "./slots";
import type { Connection, Job } from "./types";

const MOST_IDS = 100;
const SLOT_RETRY_MS = 5_000;

/** Where jobs are kept. */
export interface JobCache {
  get: (jobId: string) => Job | undefined;
  set: (jobId: string, job: Job) => void;
  /** Jobs that are shown, not under way, and may be asked for along with others. */
  joinable: () => string[];
}

interface Asked {
  resolve: (job: Job) => void;
  reject: (error: unknown) => void;
  signal: AbortSignal;
}

interface Failure {
  count: number;
  retryAfterMs: number | undefined;
}

interface Stream {
  followers: number;
  live: boolean;
  /** The server has no events of this job, or no more. */
  over: boolean;
  running: AbortController | null;
}

export class JobWatcher {
  private waiting = new Map<string, Asked>();
  /** Of each job that a request on its way is about: who waits for that request. */
  private readonly underWay = new Map<string, Map<string, Asked>>();
  private readonly limits = new WeakMap<Map<string, Asked>, AbortController>();
  private readonly failures = new Map<string, Failure>();
  private readonly streams = new Map<string, Stream>();
  private readonly listeners = new Set<() => void>();
  private slotTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly cache: JobCache) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  connectionOf(job: Job | undefined): Connection {
    if (!job || isDone(job)) return "idle";
    if (this.streams.get(job.id)?.live) return "live";
    if (!this.failures.has(job.id)) return "polling";
    return navigator.onLine ? "reconnecting" : "offline";
  }

  intervalOf(jobId: string, job: Job | undefined, error: unknown): number | false {
    if (!job && isGoneError(error)) return false;
    const failure = this.failures.get(jobId);
    return nextLookMs({
      job,
      failures: failure?.count ?? 0,
      retryAfterMs: failure?.retryAfterMs,
      hidden: typeof document !== "undefined" && document.visibilityState === "hidden",
    });
  }

  /** Return a job; those that are asked for at the same time, or while others are on their way, cost one request. */
  load(jobId: string, signal: AbortSignal): Promise<Job> {
    const asked = this.underWay.get(jobId) ?? this.waiting;
    if (asked === this.waiting && asked.size === 0) queueMicrotask(() => void this.ask());
    return new Promise((resolve, reject) => {
      const stop = () => this.leave(jobId, asked);
      asked.set(jobId, { resolve, reject, signal });
      signal.addEventListener("abort", stop, { once: true });
    });
  }

  private leave(jobId: string, asked: Map<string, Asked>): void {
    asked.get(jobId)?.reject(new DOMException("nobody waits for it", "AbortError"));
    asked.delete(jobId);
    if (asked.size === 0) this.limits.get(asked)?.abort();
  }

  private async ask(): Promise<void> {
    const asked = this.waiting;
    this.waiting = new Map();
    if (asked.size === 0) return;
    const ids = [...new Set([...asked.keys(), ...this.cache.joinable()])];
    for (let at = 0; at < ids.length; at += MOST_IDS) await this.askFor(ids.slice(at, at + MOST_IDS), asked);
  }

  private async askFor(ids: string[], asked: Map<string, Asked>): Promise<void> {
    const limit = new AbortController();
    this.limits.set(asked, limit);
    ids.forEach((id) => this.underWay.set(id, asked));
    try {
      const found = await fetchJobs(ids, limit.signal);
      for (const id of ids) this.answer(id, found.get(id), asked.get(id));
    } catch (error) {
      if (!limit.signal.aborted) ids.forEach((id) => this.noteFailure(id, error));
      ids.forEach((id) => asked.get(id)?.reject(error));
    } finally {
      ids.forEach((id) => this.underWay.delete(id));
      this.tell();
    }
  }

  private answer(id: string, job: Job | undefined, asked: Asked | undefined): void {
    this.failures.delete(id);
    const known = job ?? this.gone(id);
    if (!known) asked?.reject(new ApiError("There is no such job", 404, "job_not_found", false));
    else if (asked) asked.resolve(known);
    else this.cache.set(id, known);
  }

  private gone(id: string): Job | undefined {
    const entry = entryOfJob(id);
    const known = this.cache.get(id) ?? (entry && { id, type: entry.type });
    return known && goneJob(known);
  }

  private noteFailure(id: string, error: unknown): void {
    const retryAfterMs = error instanceof ApiError ? error.retryAfterMs : undefined;
    this.failures.set(id, { count: (this.failures.get(id)?.count ?? 0) + 1, retryAfterMs });
  }

  /** Hold a job's event stream open, if the page is looked at and there is a place for it. */
  follow(jobId: string): () => void {
    const stream = this.streams.get(jobId) ?? { followers: 0, live: false, over: false, running: null };
    this.streams.set(jobId, stream);
    stream.followers += 1;
    if (this.streams.size === 1 && stream.followers === 1)
      document.addEventListener("visibilitychange", this.onLook);
    void this.open(jobId, stream);
    return () => {
      stream.followers -= 1;
      if (stream.followers > 0) return;
      this.streams.delete(jobId);
      stream.running?.abort();
      if (this.streams.size === 0) document.removeEventListener("visibilitychange", this.onLook);
    };
  }

  private readonly onLook = (): void => {
    for (const [jobId, stream] of this.streams) {
      if (document.visibilityState === "hidden") stream.running?.abort();
      else void this.open(jobId, stream);
    }
  };

  private async open(jobId: string, stream: Stream): Promise<void> {
    if (stream.running || stream.over || document.visibilityState === "hidden") return;
    const running = new AbortController();
    stream.running = running;
    const release = await takeSlot();
    if (release && !running.signal.aborted) {
      await this.read(jobId, stream, running.signal);
      stream.over = !running.signal.aborted;
    }
    release?.();
    stream.running = null;
    if (release) this.openOthers();
    else this.slotTimer ??= setTimeout(() => this.openOthers(), SLOT_RETRY_MS);
  }

  private openOthers(): void {
    clearTimeout(this.slotTimer);
    this.slotTimer = undefined;
    for (const [jobId, stream] of this.streams) {
      const job = this.cache.get(jobId);
      if (job && !isDone(job)) void this.open(jobId, stream);
    }
  }

  private read(jobId: string, stream: Stream, signal: AbortSignal): Promise<void> {
    return follow({
      jobId,
      signal,
      after: () => this.cache.get(jobId)?.seq,
      onEvent: ({ name, data }) => this.take(jobId, name, JSON.parse(data)),
      onLive: (live) => {
        if (stream.live === live) return;
        stream.live = live;
        if (live) this.failures.delete(jobId);
        this.tell();
      },
    });
  }

  private take(jobId: string, name: string, news: unknown): void {
    const job = this.cache.get(jobId);
    if (name === "snapshot" || name === "done") this.cache.set(jobId, news as Job);
    else if (job && name === "item") this.cache.set(jobId, withItem(job, (news as { value: unknown }).value));
    else if (job && (name === "status" || name === "progress"))
      this.cache.set(jobId, withChange(job, news as Partial<Job>));
  }

  private tell(): void {
    this.listeners.forEach((listener) => listener());
  }
}

async function fetchJobs(ids: string[], signal: AbortSignal): Promise<Map<string, Job>> {
  const [only, ...others] = ids;
  if (only !== undefined && others.length === 0) {
    try {
      return new Map([[only, await ask<Job>(`/jobs/${only}`, { signal })]]);
    } catch (error) {
      if (isGoneError(error)) return new Map();
      throw error;
    }
  }
  const { data } = await ask<{ data: Job[] }>(`/jobs?ids=${ids.join(",")}`, { signal });
  return new Map(data.map((job) => [job.id, job]));
}
