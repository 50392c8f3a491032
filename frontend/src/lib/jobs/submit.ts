/** Submitting: one request makes one job, however often it is clicked, sent or interrupted by a reload. */
import { ApiError, ask, isGoneError } from "./http";
import { backoffMs, isDone } from "./rules";
import {
  addEntry,
  changeEntry,
  currentEntry,
  type Entry,
  entries,
  fingerprint,
  removeEntry,
  stash,
} from "./registry";
import type { Job, SubmitRequest } from "./types";
import type { JobCache } from "./watcher";
import { newId } from "./uuid";

const TRIES = 3;
const LONGEST_PAUSE_MS = 30_000;

/** What is being submitted in this page: by hook and request, and by submission. */
const clicks = new Map<string, Promise<Job>>();
const underWay = new Map<string, Promise<Job>>();

/** Where jobs are kept: there before anybody hears of their id. */
type Kept = Pick<JobCache, "get" | "set">;

/** Submit a request for the hook with this key, "" for none. */
export function submit(request: SubmitRequest, key: string, jobs: Kept): Promise<Job> {
  const print = fingerprint(request);
  const click = `${key} ${print}`;
  const running = clicks.get(click) ?? begin(request, key, print, jobs).finally(() => clicks.delete(click));
  clicks.set(click, running);
  return running;
}

async function begin(request: SubmitRequest, key: string, print: string, jobs: Kept): Promise<Job> {
  const entry = sameSubmit(key, print);
  if (!entry) return start(request, newEntry(request, key, print), jobs);
  if (entry.jobId === undefined) return start(request, entry, jobs);
  const job = jobs.get(entry.jobId) ?? (await read(entry.jobId));
  return job && !isDone(job) ? job : start(request, newEntry(request, key, print), jobs);
}

async function read(jobId: string): Promise<Job | undefined> {
  try {
    return await ask<Job>(`/jobs/${jobId}`);
  } catch (error) {
    if (isGoneError(error)) return undefined;
    throw error;
  }
}

/** The submit that this one repeats: a second click, or another try after no answer came. */
function sameSubmit(key: string, print: string): Entry | undefined {
  if (key !== "") {
    const current = currentEntry(key);
    return current?.print === print ? current : undefined;
  }
  return entries().find((entry) => entry.key === key && entry.print === print && entry.jobId === undefined);
}

function newEntry(request: SubmitRequest, key: string, print: string): Entry {
  return addEntry({ submission: newId(), key, type: request.type, print });
}

/** Send again what a reload cut off; null when nothing is known of what was to be sent. */
export function resume(entry: Entry, jobs: Kept): Promise<Job> | null {
  if (underWay.has(entry.submission)) return null;
  const request = stash.get(entry.submission);
  return request === null ? null : start(request as SubmitRequest, entry, jobs);
}

function start(request: SubmitRequest, { submission }: Entry, jobs: Kept): Promise<Job> {
  const running = underWay.get(submission);
  if (running) return running;
  stash.put(submission, request);
  const sent = deliver(request, submission, jobs).finally(() => underWay.delete(submission));
  underWay.set(submission, sent);
  return sent;
}

async function deliver(request: SubmitRequest, submission: string, jobs: Kept): Promise<Job> {
  try {
    const job = await tryToSend(request, submission);
    jobs.set(job.id, job);
    changeEntry(submission, { jobId: job.id });
    return job;
  } catch (error) {
    // Unless it was refused, a job may exist: the entry stays, so that the next try is the same submit.
    if (error instanceof ApiError && error.status >= 400 && error.status < 500) removeEntry(submission);
    throw error;
  } finally {
    stash.drop(submission);
  }
}

async function tryToSend(request: SubmitRequest, submission: string): Promise<Job> {
  for (let failures = 1; ; failures += 1) {
    try {
      const headers = { "Idempotency-Key": submission };
      return await ask<Job>("/jobs", { method: "POST", body: request, headers, keepalive: true });
    } catch (error) {
      if (!(error instanceof ApiError) || !error.isRetryable || failures === TRIES) throw error;
      const wait = error.retryAfterMs ?? backoffMs(failures) / 3;
      if (wait > LONGEST_PAUSE_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** Cancel a job; that it was the user who did is noted first, since news of it may come before the answer. */
export async function cancel(jobId: string, jobs: Kept): Promise<Job> {
  const entry = entries().find((each) => each.jobId === jobId);
  if (entry) changeEntry(entry.submission, { cancelled: true });
  try {
    const job = await ask<Job>(`/jobs/${jobId}/cancel`, { method: "POST" });
    jobs.set(jobId, job);
    return job;
  } catch (error) {
    if (entry) changeEntry(entry.submission, { cancelled: false });
    throw error;
  }
}

const retrying = new Map<string, Promise<Job>>();

/** Go on with a failed job; the new one takes its place for the hook that followed it. */
export function retry(jobId: string, jobs: Kept): Promise<Job> {
  const running = retrying.get(jobId) ?? sendRetry(jobId, jobs).finally(() => retrying.delete(jobId));
  retrying.set(jobId, running);
  return running;
}

async function sendRetry(jobId: string, jobs: Kept): Promise<Job> {
  const job = await ask<Job>(`/jobs/${jobId}/retry`, { method: "POST" });
  jobs.set(job.id, job);
  const before = entries().find((each) => each.jobId === jobId);
  const key = before && currentEntry(before.key) === before ? before.key : "";
  addEntry({ submission: newId(), key, type: job.type, print: before?.print ?? "", jobId: job.id });
  return job;
}
