/** The query of one job in the cache of TanStack Query: for the hooks, and for prefetching on a server. */
import { type Query, queryOptions, replaceEqualDeep } from "@tanstack/react-query";
import type { JobsClient } from "./client/client.js";
import { mergeJob } from "./client/merge.js";
import { isDone, nextLookMs } from "./client/rules.js";
import type { Job } from "./types.js";

const FRESH_MS = 1_500;
const KEPT_MS = 30 * 60_000;

export type JobKey = readonly ["loresmith", string, string];

/** Return the key of a job in the query cache. */
export const jobKey = ({ name }: Pick<JobsClient, "name">, jobId: string): JobKey => [
  "loresmith",
  name,
  jobId.toLowerCase(),
];

export const isServer = typeof window === "undefined";
export const isHidden = (): boolean => !isServer && document.visibilityState === "hidden";

type JobQuery<Result> = Query<Job<Result>, Error, Job<Result>, JobKey>;

const atOnceIfOpen = <Result>({ state: { data } }: JobQuery<Result>) => (isDone(data) ? false : "always");

/** Return the options of a query that polls a job until it has ended: for `prefetchQuery` and `useQuery`. */
export function jobQueryOptions<Result = unknown>(client: JobsClient, jobId: string) {
  return queryOptions<Job<Result>, Error, Job<Result>, JobKey>({
    queryKey: jobKey(client, jobId),
    queryFn: ({ signal }) => client.get<Result>(jobId, { signal }),
    structuralSharing: (old, next) => replaceEqualDeep(old, mergeJob(old as Job | undefined, next as Job)),
    refetchInterval: ({ state }) => nextLookMs(state, isHidden()),
    refetchIntervalInBackground: true,
    refetchOnWindowFocus: atOnceIfOpen,
    refetchOnReconnect: atOnceIfOpen,
    staleTime: ({ state: { data } }) => (isDone(data) ? Infinity : FRESH_MS),
    gcTime: isServer ? Infinity : KEPT_MS, // a timer would hold a server's process
    retry: false, // the interval is the retry
    networkMode: "always",
    throwOnError: false,
  });
}
