/** Jobs in the query cache: how they get there, how they are kept fresh, and when that ends. */
import { queryOptions, type Query, type QueryClient, replaceEqualDeep } from "@tanstack/react-query";
import { mergeJob } from "@/lib/jobs/merge";
import { isDone, mayJoin } from "@/lib/jobs/rules";
import type { Job } from "@/lib/jobs/types";
import { type JobCache, JobWatcher } from "@/lib/jobs/watcher";

const ROOT = "loresmith-job";
const FRESH_MS = 1_500;
const KEPT_MS = 30 * 60_000;

/** Where a job is in the query cache. */
export const jobKey = (jobId: string) => [ROOT, jobId] as const;

const watchers = new WeakMap<QueryClient, JobWatcher>();

/** Return what follows the jobs of a page. */
export function watcherOf(client: QueryClient): JobWatcher {
  const watcher = watchers.get(client) ?? new JobWatcher(cacheOf(client));
  watchers.set(client, watcher);
  return watcher;
}

/** Return the jobs of a query cache as the rules see them. */
export function cacheOf(client: QueryClient): JobCache {
  return {
    get: (jobId: string) => client.getQueryData<Job>(jobKey(jobId)),
    set: (jobId: string, job: Job) => put(client, { ...job, id: jobId }),
    joinable: () =>
      client
        .getQueryCache()
        .findAll({ queryKey: [ROOT], type: "active", fetchStatus: "idle" })
        .filter(({ state }) => {
          const job = state.data as Job | undefined;
          return job && !isDone(job) && mayJoin(job, Date.now() - state.dataUpdatedAt);
        })
        .map(({ queryKey }) => queryKey[1] as string),
  };
}

function put(client: QueryClient, job: Job): void {
  client.setQueryData<Job>(jobKey(job.id), (old) => mergeJob(old, job));
}

const atOnceIfOpen = ({ state }: Query<Job, Error, Job, readonly [string, string]>) =>
  state.data && isDone(state.data) ? false : "always";

/** Polls a job until it has ended. The interval is the retry: a failed look is followed by a later one. */
export function jobQuery(client: QueryClient, jobId: string) {
  const watcher = watcherOf(client);
  return queryOptions<Job, Error, Job, readonly [string, string]>({
    queryKey: jobKey(jobId),
    queryFn: ({ signal }) => watcher.load(jobId, signal),
    structuralSharing: (old, next) => replaceEqualDeep(old, mergeJob(old as Job | undefined, next as Job)),
    refetchInterval: ({ state }) => watcher.intervalOf(jobId, state.data, state.error),
    refetchIntervalInBackground: true,
    refetchOnWindowFocus: atOnceIfOpen,
    refetchOnReconnect: atOnceIfOpen,
    staleTime: ({ state }) => (state.data && isDone(state.data) ? Infinity : FRESH_MS),
    gcTime: KEPT_MS,
    retry: false,
    networkMode: "always",
    throwOnError: false,
  });
}
