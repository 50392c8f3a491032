/** What the page asks of the API besides single jobs. */
import { ApiError, type Job, type JobType, type Schemas } from "@loresmith/react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { jobs } from "./access";

export type World = Schemas["WorldObject"];
export type WorldSummary = Schemas["WorldSummaryObject"];
export type Stats = Schemas["StatsObject"];

const WORLDS_AT_ONCE = 100;

export function useJobTypes() {
  return useQuery({
    queryKey: ["job-types"],
    queryFn: async ({ signal }) => (await jobs.request<{ data: JobType[] }>("/job-types", { signal })).data,
  });
}

export function useStats() {
  return useQuery({
    queryKey: ["stats"],
    queryFn: ({ signal }) => jobs.request<Stats>("/stats", { signal }),
    refetchInterval: 3_000,
    retry: false,
  });
}

export interface Filter {
  status: string;
  type: string;
}

/** The latest jobs that the caller may see: their own, with the admin scope everybody's. */
export function useJobList(filter: Filter, limit: number) {
  const query = new URLSearchParams({ limit: String(limit) });
  if (filter.status) query.set("status", filter.status);
  if (filter.type) query.set("type", filter.type);
  return useQuery({
    queryKey: ["jobs", filter, limit],
    queryFn: ({ signal }) =>
      jobs.request<{ data: Job[]; next_cursor: string | null }>(`/jobs?${query}`, { signal }),
    refetchInterval: 3_000,
    placeholderData: (before) => before,
    retry: false,
  });
}

export function useJobPayload(jobId: string) {
  return useQuery({
    queryKey: ["payload", jobId],
    queryFn: async ({ signal }) =>
      (await jobs.request<Job>(`/jobs/${jobId}?include=payload`, { signal })).payload ?? null,
    staleTime: Infinity,
  });
}

export function useWorld(worldId: string) {
  return useQuery({
    queryKey: ["world", worldId],
    queryFn: ({ signal }) => jobs.request<World>(`/worlds/${worldId}`, { signal }),
    staleTime: Infinity,
  });
}

export function useWorlds() {
  return useInfiniteQuery({
    queryKey: ["worlds"],
    queryFn: ({ signal, pageParam }) => {
      const query = new URLSearchParams({
        limit: String(WORLDS_AT_ONCE),
        ...(pageParam && { cursor: pageParam }),
      });
      return jobs.request<Schemas["WorldList"]>(`/worlds?${query}`, { signal });
    },
    initialPageParam: "",
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
  });
}

export function deleteWorld(worldId: string, keepalive = false): Promise<unknown> {
  return jobs.request(`/worlds/${worldId}`, { method: "DELETE", keepalive }).catch((error: unknown) => {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  });
}

export function useForgetJob() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (jobId: string) => jobs.request(`/jobs/${jobId}`, { method: "DELETE" }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["jobs"] }),
  });
}
