/** A line that says so when there is no network, or no server. */
import { ApiError } from "@loresmith/react";
import { useQuery } from "@tanstack/react-query";
import { jobs } from "../access";

export function Offline() {
  const { error } = useQuery({
    queryKey: ["pulse"],
    queryFn: ({ signal }) => jobs.request("/job-types", { signal, timeoutMs: 8_000 }),
    refetchInterval: ({ state }) => (state.error ? 3_000 : 8_000),
    refetchOnReconnect: "always",
    retry: false,
  });
  if (!(error instanceof ApiError) || error.status === 401) return null;
  return (
    <p className="banner" role="status">
      <span className="ls-spinner" aria-hidden="true" />
      <span>{navigator.onLine ? "LoreSmith does not answer at the moment." : "You are offline."}</span>{" "}
      <span>Jobs go on meanwhile; this page looks again by itself.</span>
    </p>
  );
}
