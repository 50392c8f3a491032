/** Follows all jobs of a page: one request for all that are due, event streams for the few that are in sight. */
import type { QueryClient, QueryState } from "@tanstack/react-query";
import type { JobsClient } from "../client/client.js";
import { ApiError, isGoneError, isRefusal } from "../client/error.js";
import { mergeJob } from "../client/merge.js";
import { goneJob, isDone, mayJoin } from "../client/rules.js";
import { follow } from "../client/stream.js";
import { isHidden, jobKey, jobQueryOptions } from "../query.js";
import type { Connection, Job } from "../types.js";
import type { Registry } from "./registry.js";
import { streamSlots } from "./slots.js";

const MAX_IDS = 100;
/** The pause before streams that broke, or had no place, are opened again. */
const RETRY_MS = 3_000;

interface Waiter {
  resolve: (job: Job) => void;
  reject: (error: unknown) => void;
}

/** One request, and who waits for it, by job. */
interface Batch {
  waiters: Map<string, Waiter>;
  limit: AbortController;
}

interface Stream {
  followers: number;
  isLive: boolean;
  /** The server has no events of this job. */
  isOver: boolean;
  running: AbortController | null;
}

export type JobWatcher = ReturnType<typeof createWatcher>;

const newBatch = (): Batch => ({ waiters: new Map(), limit: new AbortController() });

/** `current` returns the client, which is another one after a change of its token. */
export function createWatcher(
  queries: QueryClient,
  registry: Registry,
  name: string,
  current: () => JobsClient,
) {
  const cache = queries.getQueryCache();
  const takeSlot = streamSlots(name);
  const underWay = new Map<string, Batch>();
  const streams = new Map<string, Stream>();
  let next = newBatch();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const keyOf = (jobId: string) => jobKey({ name }, jobId);
  const get = (jobId: string) => queries.getQueryData<Job>(keyOf(jobId));
  const errorOf = (jobId: string) => queries.getQueryState(keyOf(jobId))?.error;
  const set = (job: Job) => void queries.setQueryData<Job>(keyOf(job.id), (old) => mergeJob(old, job));

  function load(jobId: string, signal: AbortSignal): Promise<Job> {
    const batch = underWay.get(jobId) ?? next;
    const { waiters, limit } = batch;
    if (batch === next && waiters.size === 0) queueMicrotask(() => void send());
    return new Promise((resolve, reject) => {
      waiters.set(jobId, { resolve, reject });
      const leave = () => {
        reject(signal.reason as Error);
        waiters.delete(jobId);
        if (waiters.size === 0) limit.abort();
      };
      signal.addEventListener("abort", leave);
    });
  }

  async function send(): Promise<void> {
    const batch = next;
    next = newBatch();
    if (batch.waiters.size === 0) return;
    const ids = [...new Set([...batch.waiters.keys(), ...joinable()])];
    for (let at = 0; at < ids.length; at += MAX_IDS) await request(ids.slice(at, at + MAX_IDS), batch);
  }

  /** Return jobs that are shown, have no request on its way, and may be read along with others. */
  function joinable(): string[] {
    return cache
      .findAll({ queryKey: keyOf("").slice(0, 2), type: "active", fetchStatus: "idle" })
      .filter(({ state: { data, dataUpdatedAt, error } }) => {
        const job = data as Job | undefined;
        return job && !isDone(job) && !isRefusal(error) && mayJoin(job, Date.now() - dataUpdatedAt);
      })
      .map(({ queryKey }) => queryKey[2] as string);
  }

  async function request(ids: string[], batch: Batch): Promise<void> {
    const { waiters, limit } = batch;
    ids.forEach((id) => underWay.set(id, batch));
    try {
      const found = await read(ids, limit.signal);
      for (const id of ids) {
        const job = found.find((each) => each.id === id) ?? gone(id);
        const waiter = waiters.get(id);
        if (!job)
          waiter?.reject(new ApiError("There is no such job", { status: 404, code: "job_not_found" }));
        else if (waiter) waiter.resolve(job);
        else set(job);
      }
    } catch (error) {
      ids.forEach((id) => waiters.get(id)?.reject(error));
    } finally {
      ids.forEach((id) => underWay.delete(id));
    }
  }

  async function read(ids: string[], signal: AbortSignal): Promise<Job[]> {
    const client = current();
    if (ids.length > 1) return client.getMany(ids, { signal });
    try {
      return [await client.get(ids[0] ?? "", { signal })];
    } catch (error) {
      if (isGoneError(error)) return [];
      throw error;
    }
  }

  function gone(id: string): Job | undefined {
    const entry = registry.find("jobId", id);
    const known = get(id) ?? (entry && { id, type: entry.type });
    return known && goneJob(known);
  }

  /** Open the streams that there are places for, or let go of all while the page is hidden. */
  function refresh(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const [jobId, stream] of streams) {
      if (isHidden()) stream.running?.abort();
      else void open(jobId, stream);
    }
  }

  async function open(jobId: string, stream: Stream): Promise<void> {
    const known = () => get(jobId);
    // While requests fail, they alone find out when the server is back.
    if (stream.running || stream.isOver || isHidden() || isDone(known()) || errorOf(jobId)) return;
    const { signal } = (stream.running = new AbortController());
    const change = (state: Partial<QueryState>) => cache.find({ queryKey: keyOf(jobId) })?.setState(state);
    const onLive = (isLive: boolean) => {
      stream.isLive = isLive;
      change({}); // for who looks at the connection
    };
    const release = await takeSlot();
    try {
      if (release && !signal.aborted)
        for await (const job of follow(current().http, { jobId, signal, known, onLive })) set(job);
    } catch (error) {
      stream.isOver = error instanceof ApiError && !error.isRetryable;
      // The query shows why the job is followed no longer.
      if (isRefusal(error)) change({ error, status: "error", errorUpdatedAt: Date.now() });
    }
    release?.();
    stream.running = null;
    if (isDone(known())) refresh();
    else timer ??= setTimeout(refresh, RETRY_MS);
  }

  return {
    get,
    set,

    /** Return the query of a job; its request is shared with all jobs that are due. */
    query<Result>(jobId: string) {
      const options = jobQueryOptions<Result>(current(), jobId);
      const [, , id] = options.queryKey;
      const queryFn = ({ signal }: { signal: AbortSignal }) => load(id, signal) as Promise<Job<Result>>;
      return { ...options, queryFn };
    },

    subscribe: (listener: () => void) => cache.subscribe(listener),

    connectionOf(job: Job | undefined): Connection {
      if (!job || isDone(job)) return "idle";
      if (streams.get(job.id)?.isLive) return "live";
      const error = errorOf(job.id);
      if (!error) return "polling";
      if (isRefusal(error)) return "refused";
      return navigator.onLine ? "reconnecting" : "offline";
    },

    /** Hold a job's event stream open while the page is in sight and there is a place for it. */
    follow(jobId: string): () => void {
      const stream = streams.get(jobId) ?? { followers: 0, isLive: false, isOver: false, running: null };
      streams.set(jobId, stream);
      stream.followers += 1;
      document.addEventListener("visibilitychange", refresh);
      void open(jobId, stream);
      return () => {
        stream.followers -= 1;
        if (stream.followers > 0) return;
        streams.delete(jobId);
        stream.running?.abort();
        if (streams.size === 0) document.removeEventListener("visibilitychange", refresh);
      };
    },
  };
}
