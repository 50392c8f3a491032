"use client";
/** Hooks for jobs: submit one, follow it to its end, find it again after leaving. */
import { useMutation, useQueries, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import { type ApiError, isRefusal } from "../client/error.js";
import { isCancelled, isDone, itemsOf } from "../client/rules.js";
import type { Connection, Eta, ItemOf, Job, SubmitOptions, SubmitRequest } from "../types.js";
import { useEnd, useEntries, useOwnEntry, useResume } from "./own.js";
import { useSession } from "./provider.js";
import { cancel as sendCancel, retry as sendRetry, submit as send } from "./submit.js";

export interface FollowedJob<Result = unknown, Item = ItemOf<Result>> {
  job: Job<Result, Item> | undefined;
  isPolling: boolean;
  isCompleted: boolean;
  /** Whether it failed; a cancelled job has failed, too. */
  isFailed: boolean;
  isCancelled: boolean;
  /** The result of a completed job. */
  result: Result | undefined;
  /** Finished items: those so far while the job runs. */
  items: Item[];
  eta: Eta | null;
  connection: Connection;
  /**
   * Why the last request for the job failed; the job itself may be well. With the connection `refused`
   * (the key or token has ended, or the server does not accept the page's origin) requests have stopped.
   */
  connectionError: Error | null;
  /** Ask for the job now, as after a new sign-in. */
  refetch: () => unknown;
}

export interface JobStatusResult<Result = unknown, Item = ItemOf<Result>> extends FollowedJob<Result, Item> {
  data: Job<Result, Item> | undefined;
  /** The same as `connectionError`. */
  error: Error | null;
  isLoading: boolean;
}

/** Follow a job by its id: poll it until it has ended, and take its events where the server offers them. */
export function useJobStatus<Result = unknown, Item = ItemOf<Result>>(
  jobId: string | null | undefined,
): JobStatusResult<Result, Item> {
  const { watcher } = useSession();
  const id = jobId?.toLowerCase() ?? "";
  const query = useQuery({ ...watcher.query<Result>(id), enabled: id !== "" });
  const { error, isLoading, refetch } = query;
  const job = (id === "" ? undefined : query.data) as Job<Result, Item> | undefined;
  const isOpen = job !== undefined && !isDone(job);
  const isCompleted = job?.status === "completed";
  const connection = useSyncExternalStore(
    watcher.subscribe,
    () => watcher.connectionOf(job),
    () => (isOpen ? "polling" : "idle"),
  );
  const canStream = isOpen && job.links?.events !== undefined && !isRefusal(error);
  useEffect(() => (canStream ? watcher.follow(id) : undefined), [watcher, id, canStream]);
  return {
    job,
    data: job,
    isPolling: isOpen,
    isCompleted,
    isFailed: job?.status === "failed",
    isCancelled: isCancelled(job),
    result: isCompleted ? (job.result as Result) : undefined,
    items: itemsOf(job),
    eta: job?.eta ?? null,
    connection,
    connectionError: error,
    error,
    isLoading,
    refetch,
  };
}

/** Return a mutation that runs at once, also offline, and once. */
function useOnce<Variables>(mutationFn: (variables: Variables) => Promise<Job>) {
  return useMutation<Job, ApiError, Variables>({ mutationFn, networkMode: "always", retry: false });
}

/** Submit a job and get it; nothing is polled. */
export function useSubmitJob() {
  const session = useSession();
  const mutation = useOnce((request: SubmitRequest) => send(session, request, ""));
  return { ...mutation, submit: mutation.mutateAsync, isSubmitting: mutation.isPending };
}

/** Cancel and retry by id, for lists of jobs. */
export function useJobActions() {
  const session = useSession();
  return useMemo(
    () => ({
      cancel: (jobId: string) => sendCancel(session, jobId),
      retry: (jobId: string) => sendRetry(session, jobId),
    }),
    [session],
  );
}

/** Follow several jobs; however many they are, they cost one request per interval. */
export function useJobs<Result = unknown>(ids: readonly string[]) {
  const { watcher } = useSession();
  return useQueries({
    queries: ids.map((id) => watcher.query<Result>(id)),
    combine: (queries) => ({
      jobs: queries.flatMap(({ data }) => data ?? []),
      isLoading: queries.some(({ isLoading }) => isLoading),
      /** Why a request failed last; null where all succeeded. */
      error: queries.find(({ error }) => error)?.error ?? null,
    }),
  });
}

/** The ids of all jobs that were submitted in this browser within a day. */
export function useOwnJobIds(): string[] {
  const listed = useEntries(useSession());
  return useMemo(() => [...new Set(listed.flatMap(({ jobId }) => jobId ?? []))], [listed]);
}

/**
 * The jobs that were submitted in this browser: those that are open, and those whose end nobody has seen yet.
 *
 * An end is seen when a `useJob` reports it, or when it is dismissed.
 */
export function useActiveJobs() {
  const session = useSession();
  const listed = useEntries(session).flatMap(({ jobId, dismissed }) => (dismissed ? [] : (jobId ?? [])));
  const { jobs, isLoading } = useJobs([...new Set(listed)]);
  const dismiss = useCallback(
    (jobId: string) => session.registry.change("jobId", jobId, { dismissed: true }),
    [session],
  );
  return {
    jobs: jobs.filter((job) => !isDone(job)),
    ended: jobs.filter((job) => isDone(job)),
    isLoading,
    dismiss,
  };
}

export interface JobCallbacks<Result> {
  /** Called once, when the job has completed. */
  onSuccess?: ((result: Result) => void) | undefined;
  /** Called once, when the job has failed, but for a cancel by the user of this page. */
  onError?: ((error: string) => void) | undefined;
  /** Names what the job is for; with it a hook finds its job again, in this and other tabs. By default: the page. */
  key?: string | undefined;
}

interface OwnJob<Result, Item> extends FollowedJob<Result, Item> {
  cancel: () => Promise<void>;
  retry: () => Promise<void>;
  /** Forget the job here; it goes on, and `useActiveJobs` still has it. */
  reset: () => void;
  isSubmitting: boolean;
  /** Why the last submit was refused, or not answered. */
  submitError: ApiError | null;
}

export interface JobPolling<Result = unknown, Item = ItemOf<Result>> extends OwnJob<Result, Item> {
  submit: (request: SubmitRequest) => Promise<Job<Result, Item>>;
}

export interface JobOptions<Result> extends JobCallbacks<Result> {
  /** The job type, such as `generate_characters`. */
  type: string;
}

export interface UseJobResult<Result, Item, Payload extends object> extends OwnJob<Result, Item> {
  submit: (payload: Payload, options?: SubmitOptions) => Promise<Job<Result, Item>>;
}

/** Submit jobs of one type, and follow the last one to its end. Callbacks are about the end of the job alone. */
export function useJob<Result = unknown, Item = ItemOf<Result>, Payload extends object = object>({
  type,
  ...callbacks
}: JobOptions<Result>): UseJobResult<Result, Item, Payload> {
  const { submit, ...own } = useOwnJob<Result, Item>(callbacks);
  const submitPayload = useCallback(
    (payload: Payload, options?: SubmitOptions) => submit({ ...options, type, payload }),
    [submit, type],
  );
  return { ...own, submit: submitPayload };
}

/**
 * Submit a job of any type, and follow it to its end: `useJob` with the callbacks first.
 *
 * `Result` is `any` by default, so that a callback may hand it to state of any type.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
export function useJobPolling<Result = any, Item = ItemOf<Result>>(
  onComplete?: (result: Result) => void,
  onError?: (error: string) => void,
  { key }: { key?: string | undefined } = {},
): JobPolling<Result, Item> {
  return useOwnJob<Result, Item>({ onSuccess: onComplete, onError, key });
}

function useOwnJob<Result, Item>(callbacks: JobCallbacks<Result>): JobPolling<Result, Item> {
  const session = useSession();
  const { key, entry } = useOwnEntry(session, callbacks.key);
  const followed = useJobStatus<Result, Item>(entry?.jobId);
  const { job } = followed;
  useEnd(session, job, entry, callbacks.onSuccess, callbacks.onError);
  const { mutateAsync: track, isPending, error: submitError, reset: forget } = useOnce(run);
  useResume(session, entry, track);

  const submit = useCallback(
    (request: SubmitRequest) => track(() => send(session, request, key())) as Promise<Job<Result, Item>>,
    [session, key, track],
  );
  const jobId = job?.id;
  const cancel = useCallback(async () => {
    if (jobId) await sendCancel(session, jobId);
  }, [session, jobId]);
  const retry = useCallback(async () => {
    if (jobId) await track(() => sendRetry(session, jobId));
  }, [session, jobId, track]);
  const reset = useCallback(() => {
    session.registry.change("key", key(), { key: "" });
    forget();
  }, [session, key, forget]);

  return { ...followed, submit, cancel, retry, reset, isSubmitting: isPending, submitError };
}

const run = (work: () => Promise<Job>) => work();
