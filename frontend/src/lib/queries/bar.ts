/** The hook through which everything that shows a job's progress gets it. */
import { QueryClientContext } from "@tanstack/react-query";
import { useContext, useEffect, useSyncExternalStore } from "react";
import { barView, type BarView, firstView, onBars, takeBar } from "@/lib/jobs/bars";
import type { Connection, Job } from "@/lib/jobs/types";
import { watcherOf } from "./cache";

const deaf = () => () => undefined;

/**
 * Return how far a job is by now, moving on between the answers of the server.
 *
 * `isLost` is for jobs that are not followed by the hooks: whether the last look failed.
 */
export function useBar(job: Job, isLost = false): BarView {
  const client = useContext(QueryClientContext);
  const watcher = client && watcherOf(client);
  const followed = useSyncExternalStore<Connection>(
    watcher?.subscribe ?? deaf,
    () => watcher?.connectionOf(job) ?? "polling",
    () => "polling",
  );
  const connection = isLost ? "reconnecting" : followed;
  useEffect(() => takeBar(job, connection), [job, connection]);
  return useSyncExternalStore(
    onBars,
    () => barView(job),
    () => firstView(job),
  );
}
