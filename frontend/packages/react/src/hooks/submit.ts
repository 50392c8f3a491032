/** Submits: one request makes one job, however often it is clicked, sent or interrupted by a reload. */
import { newId } from "../client/client.js";
import { ApiError, isGoneError } from "../client/error.js";
import { isDone } from "../client/rules.js";
import type { Job, SubmitRequest } from "../types.js";
import { type Entry, fingerprint } from "./registry.js";
import type { Session } from "./session.js";

/** Return the promise of this name that is under way, or a new one. */
function once({ underWay }: Session, name: string, start: () => Promise<Job>): Promise<Job> {
  const running = underWay.get(name) ?? start().finally(() => underWay.delete(name));
  underWay.set(name, running);
  return running;
}

/** Submit a request for the hook with this key, "" for none. */
export function submit(session: Session, request: SubmitRequest, key: string): Promise<Job> {
  const print = fingerprint(request);
  return once(session, `${key} ${print}`, () => begin(session, request, key, print));
}

async function begin(session: Session, request: SubmitRequest, key: string, print: string): Promise<Job> {
  const { registry, watcher, client } = session;
  // A second click, or another try after no answer came, repeats a submit.
  const before = key
    ? registry.find("key", key)
    : registry.entries().find((each) => !each.key && each.print === print && !each.jobId);
  const again = before?.print === print ? before : undefined;
  if (again?.jobId) {
    const job = watcher.get(again.jobId) ?? (await client.get(again.jobId).catch(undefinedIfGone));
    if (job && !isDone(job)) return job;
  }
  const entry =
    again && !again.jobId ? again : registry.add({ submission: newId(), key, type: request.type, print });
  return start(session, request, entry);
}

function undefinedIfGone(error: unknown): undefined {
  if (!isGoneError(error)) throw error;
}

/** Send again what a reload cut off; null when the request is not known here, or on its way. */
export function resume(session: Session, entry: Entry): Promise<Job> | null {
  if (session.underWay.has(entry.submission)) return null;
  const request = session.registry.stashed(entry.submission) as SubmitRequest | null;
  return request && start(session, request, entry);
}

function start(session: Session, request: SubmitRequest, { submission }: Entry): Promise<Job> {
  const { registry } = session;
  return once(session, submission, () => {
    registry.stash(submission, request);
    return deliver(session, request, submission);
  });
}

async function deliver(session: Session, request: SubmitRequest, submission: string): Promise<Job> {
  const { registry, watcher, client } = session;
  try {
    const job = await client.submit(request, { idempotencyKey: submission });
    watcher.set(job); // before its id is known to any hook
    registry.change("submission", submission, { jobId: job.id });
    return job;
  } catch (error) {
    // Unless it was refused, a job may exist: the entry stays, so that the next try is the same submit.
    if (error instanceof ApiError && error.status >= 400 && error.status < 500) registry.remove(submission);
    throw error;
  } finally {
    registry.unstash(submission);
  }
}

/** Cancel a job. That the user did it is noted first, since news of it may come before the answer. */
export async function cancel({ registry, watcher, client }: Session, jobId: string): Promise<Job> {
  registry.change("jobId", jobId, { cancelled: true });
  try {
    const job = await client.cancel(jobId);
    watcher.set(job);
    return job;
  } catch (error) {
    registry.change("jobId", jobId, { cancelled: false });
    throw error;
  }
}

/** Continue a failed job; the new one takes its place for the hook that followed it. */
export function retry(session: Session, jobId: string): Promise<Job> {
  return once(session, jobId, () => sendRetry(session, jobId));
}

async function sendRetry({ registry, watcher, client }: Session, jobId: string): Promise<Job> {
  const job = await client.retry(jobId);
  watcher.set(job);
  const before = registry.find("jobId", jobId);
  const key = before && registry.find("key", before.key) === before ? before.key : "";
  registry.add({ submission: newId(), key, type: job.type, print: before?.print ?? "", jobId: job.id });
  return job;
}
