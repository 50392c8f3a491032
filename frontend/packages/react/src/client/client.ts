/** Client of the HTTP API: for pages, workers, Node, Bun and Deno. It needs `fetch` and no framework. */
import type { Job, SubmitRequest } from "../types.js";
import { ApiError, isRefusal } from "./error.js";
import { createHttp, type Http, type HttpOptions, jobPath, type RequestOptions } from "./http.js";
import { pause } from "./limit.js";
import { mergeJob } from "./merge.js";
import { backoffMs, isDone, POLL_MS } from "./rules.js";
import { follow } from "./stream.js";

const TRIES = 3;
const MAX_PAUSE_MS = 30_000;

export interface JobsClientOptions extends HttpOptions {
  /**
   * Names the backend in the query cache and the storage of the browser; by default its `baseUrl`.
   * Server and browser that reach one backend by different addresses give the same name.
   */
  name?: string;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export interface SubmitCallOptions extends CallOptions {
  /** Requests with the same key make one job. By default each call has a key of its own, for its retries. */
  idempotencyKey?: string;
}

export interface JobsClient {
  readonly name: string;
  readonly baseUrl: string;
  /** Submit a job; a request without an answer is sent three times. Rejects with ApiError, as all calls do. */
  submit: <Result = unknown>(request: SubmitRequest, options?: SubmitCallOptions) => Promise<Job<Result>>;
  get: <Result = unknown>(jobId: string, options?: CallOptions) => Promise<Job<Result>>;
  /** Read up to 100 jobs with one request; unknown ones are absent. */
  getMany: (jobIds: readonly string[], options?: CallOptions) => Promise<Job[]>;
  /** Return the job once it has ended, completed or failed. Failures of the network are waited out. */
  wait: <Result = unknown>(jobId: string, options?: CallOptions) => Promise<Job<Result>>;
  /** Yield the job at once and after each change until it has ended: by events, else by polling. */
  stream: <Result = unknown>(jobId: string, options?: CallOptions) => AsyncGenerator<Job<Result>, void>;
  cancel: (jobId: string, options?: CallOptions) => Promise<Job>;
  /** Continue a failed job: its finished items are kept. Returns the new job. */
  retry: (jobId: string, options?: CallOptions) => Promise<Job>;
  /** Request any other path of the API. */
  request: <T>(path: string, options?: RequestOptions) => Promise<T>;
  /** For the hooks alone. */
  readonly http: Http;
}

/** Create a client. Create it once, outside of components. */
export function createJobsClient(options: JobsClientOptions = {}): JobsClient {
  const http = createHttp(options);
  const { request, baseUrl } = http;

  async function submit<Result>(body: SubmitRequest, { signal, idempotencyKey }: SubmitCallOptions = {}) {
    const headers = { "Idempotency-Key": idempotencyKey ?? newId() };
    for (let failures = 1; ; failures += 1) {
      try {
        return await request<Job<Result>>("/jobs", {
          method: "POST",
          body,
          headers,
          signal,
          keepalive: true,
        });
      } catch (error) {
        if (!(error instanceof ApiError) || !error.isRetryable || failures === TRIES) throw error;
        const pauseMs = error.retryAfterMs ?? backoffMs(failures) / 3;
        if (pauseMs > MAX_PAUSE_MS) throw error;
        await pause(pauseMs, signal);
      }
    }
  }

  const get = <Result>(jobId: string, call?: CallOptions) => request<Job<Result>>(jobPath(jobId), call);

  async function* stream<Result>(jobId: string, call?: CallOptions) {
    const signal = call?.signal;
    let job = await get<Result>(jobId, call);
    yield job;
    const isNews = (next: Job) => {
      const before = JSON.stringify(job);
      job = mergeJob(job, next) as Job<Result>;
      return JSON.stringify(job) !== before;
    };
    let waitMs: number | undefined;
    for (let failures = 0; !isDone(job);) {
      try {
        if (job.links?.events)
          for await (const next of follow(http, { jobId, signal, known: () => job }))
            if (isNews(next)) yield job;
      } catch (error) {
        if (isRefusal(error)) throw error;
      }
      signal?.throwIfAborted();
      if (isDone(job)) return;
      await pause(waitMs ?? job.poll_after_ms ?? POLL_MS, signal);
      signal?.throwIfAborted();
      try {
        if (isNews(await get(jobId, call))) yield job;
        failures = 0;
        waitMs = undefined;
      } catch (error) {
        if (!(error instanceof ApiError && error.isRetryable)) throw error;
        failures += 1;
        waitMs = error.retryAfterMs ?? backoffMs(failures);
      }
    }
  }

  async function wait<Result>(jobId: string, call?: CallOptions) {
    let last: Job<Result> | undefined;
    for await (const job of stream<Result>(jobId, call)) last = job;
    return last as Job<Result>;
  }

  const act = (what: string) => (jobId: string, call?: CallOptions) =>
    request<Job>(`${jobPath(jobId)}/${what}`, { ...call, method: "POST" });

  return {
    name: options.name ?? baseUrl,
    baseUrl,
    submit,
    get,
    getMany: async (jobIds, call) =>
      (await request<{ data: Job[] }>(`/jobs?ids=${jobIds.join(",")}`, call)).data,
    wait,
    stream,
    cancel: act("cancel"),
    retry: act("retry"),
    request,
    http,
  };
}

/** Return a random id; pages without TLS have no `crypto.randomUUID`. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
