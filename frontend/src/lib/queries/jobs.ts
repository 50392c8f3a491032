/** Hooks for jobs: submit one, follow it to its end, find it again after leaving. */
import { useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { ApiError } from "@/lib/jobs/http";
import { changeEntry, currentEntry, entryOfJob } from "@/lib/jobs/registry";
import { isCancelled, isDone, itemsOf } from "@/lib/jobs/rules";
import { cancel as sendCancel, retry as sendRetry, submit as send } from "@/lib/jobs/submit";
import type { Connection, Eta, Job, SubmitRequest } from "@/lib/jobs/types";
import { cacheOf, jobQuery, watcherOf } from "./cache";
import { useEnd, useEntries, useOwnEntry, useResume } from "./own";

export { ApiError, configureJobs } from "@/lib/jobs/http";
export type { Connection, Eta, Job, JobStatus, SubmitRequest } from "@/lib/jobs/types";

export interface FollowedJob<Result = unknown> {
  job: Job<Result> | undefined;
  isPolling: boolean;
  isCompleted: boolean;
  /** Whether it failed; a cancelled job has failed, too. */
  isFailed: boolean;
  isCancelled: boolean;
  connection: Connection;
  /** Finished items: those so far while the job runs. */
  items: unknown[];
  eta: Eta | null;
}

export interface JobStatusResult<Result = unknown> extends FollowedJob<Result> {
  data: Job<Result> | undefined;
  /** Why the last look failed; the job itself may be well. */
  error: Error | null;
  isLoading: boolean;
  refetch: () => unknown;
}

/** Follow a job by its id: poll it until it has ended, and take its events where the server offers them. */
export function useJobStatus<Result = unknown>(jobId: string | null | undefined): JobStatusResult<Result> {
  const client = useQueryClient();
  const id = jobId?.toLowerCase() ?? "";
  const query = useQuery({ ...jobQuery(client, id), enabled: id !== "" });
  const { error, isLoading, refetch } = query;
  const job = (id === "" ? undefined : query.data) as Job<Result> | undefined;
  const watcher = watcherOf(client);
  const connectionNow = () => watcher.connectionOf(job);
  const connection = useSyncExternalStore(watcher.subscribe, connectionNow, connectionNow);
  const canStream = job !== undefined && !isDone(job) && job.links?.events !== undefined;
  useEffect(() => (canStream ? watcher.follow(id) : undefined), [watcher, id, canStream]);
  return { ...described(job, connection), data: job, error, isLoading, refetch };
}

function described<Result>(job: Job<Result> | undefined, connection: Connection): FollowedJob<Result> {
  return {
    job,
    isPolling: job !== undefined && !isDone(job),
    isCompleted: job?.status === "completed",
    isFailed: job?.status === "failed",
    isCancelled: job !== undefined && isCancelled(job),
    connection,
    items: itemsOf(job),
    eta: job?.eta ?? null,
  };
}

/** Submit a job and get it; nothing is polled. */
export function useSubmitJob() {
  const client = useQueryClient();
  const mutation = useMutation<Job, ApiError, SubmitRequest>({
    mutationFn: (request) => send(request, "", cacheOf(client)),
    networkMode: "always",
    retry: false,
  });
  return { ...mutation, submit: mutation.mutateAsync, isSubmitting: mutation.isPending };
}

/** Cancel and retry by id, for lists of jobs. */
export function useJobActions() {
  const client = useQueryClient();
  return useMemo(() => {
    const jobs = cacheOf(client);
    return {
      cancel: (jobId: string) => sendCancel(jobId, jobs),
      retry: (jobId: string) => sendRetry(jobId, jobs),
    };
  }, [client]);
}

/** Follow several jobs; however many they are, they cost one request per interval. */
export function useJobs(ids: readonly string[]) {
  const client = useQueryClient();
  return useQueries({
    queries: ids.map((id) => jobQuery(client, id)),
    combine: (queries) => ({
      jobs: queries.flatMap(({ data }) => data ?? []),
      isLoading: queries.some(({ isLoading }) => isLoading),
    }),
  });
}

/** The ids of all jobs that were submitted in this browser within a day. */
export function useOwnJobIds(): string[] {
  const listed = useEntries();
  return useMemo(() => [...new Set(listed.flatMap(({ jobId }) => jobId ?? []))], [listed]);
}

/**
 * The jobs that were submitted in this browser: those that are open, and those whose end nobody has seen yet.
 *
 * An end is seen when a `useJobPolling` tells it, or when it is dismissed.
 */
export function useActiveJobs() {
  const listed = useEntries().filter(({ jobId, dismissed }) => jobId !== undefined && !dismissed);
  const { jobs, isLoading } = useJobs([...new Set(listed.map(({ jobId }) => jobId ?? ""))]);
  const dismiss = useCallback((jobId: string) => {
    const entry = entryOfJob(jobId);
    if (entry) changeEntry(entry.submission, { dismissed: true });
  }, []);
  return { jobs: jobs.filter((job) => !isDone(job)), ended: jobs.filter(isDone), isLoading, dismiss };
}

export interface JobPollingOptions {
  /** Names what the job is for; with it a hook finds its job again, in this and other tabs. By default: the page. */
  key?: string;
}

export interface JobPolling<Result = unknown> extends FollowedJob<Result> {
  submit: (request: SubmitRequest) => Promise<Job<Result>>;
  cancel: () => Promise<void>;
  retry: () => Promise<void>;
  /** Forget the job here; it goes on, and `useActiveJobs` still has it. */
  reset: () => void;
  isSubmitting: boolean;
  /** Why the last submit was refused, or not answered. */
  submitError: ApiError | null;
}

/**
 * Submit a job and follow it to its end.
 *
 * Each callback is called once for a job. It is about the end of the job, never about the connection; `onError` is not
 * called for a cancel of the user's own.
 */
export function useJobPolling<Result = unknown>(
  onComplete?: (result: Result) => void,
  onError?: (error: string) => void,
  options: JobPollingOptions = {},
): JobPolling<Result> {
  const client = useQueryClient();
  const { key, entry } = useOwnEntry(options.key);
  const followed = useJobStatus<Result>(entry?.jobId);
  const { job } = followed;
  const [submits, setSubmits] = useState({ open: 0, error: null as ApiError | null });
  useEnd(job, entry, onComplete, onError);

  const track = useCallback(async <T>(work: Promise<T>): Promise<T> => {
    setSubmits(({ open }) => ({ open: open + 1, error: null }));
    let failure: ApiError | null = null;
    try {
      return await work;
    } catch (error) {
      failure = error as ApiError;
      throw error;
    } finally {
      setSubmits(({ open, error }) => ({ open: open - 1, error: failure ?? error }));
    }
  }, []);

  useResume(client, entry, track);

  const submit = useCallback(
    (request: SubmitRequest) => track(send(request, key(), cacheOf(client)) as Promise<Job<Result>>),
    [client, key, track],
  );
  const jobId = job?.id;
  const cancel = useCallback(async () => {
    if (jobId !== undefined) await sendCancel(jobId, cacheOf(client));
  }, [client, jobId]);
  const retry = useCallback(async () => {
    if (jobId !== undefined) await track(sendRetry(jobId, cacheOf(client)));
  }, [client, jobId, track]);
  const reset = useCallback(() => {
    const current = currentEntry(key());
    if (current) changeEntry(current.submission, { key: "" });
    setSubmits({ open: 0, error: null });
  }, [key]);

  return {
    ...described(job, followed.connection),
    submit,
    cancel,
    retry,
    reset,
    isSubmitting: submits.open > 0,
    submitError: submits.error,
  };
}
