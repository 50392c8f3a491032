"use client";
/** The hook through which everything that shows a job's progress gets it. */
import { useContext, useEffect, useSyncExternalStore } from "react";
import { JobsContext } from "../hooks/provider.js";
import type { Connection, Job } from "../types.js";
import { Bars, type BarView, firstView } from "./bars.js";

const deaf = () => () => undefined;
/** By session; those of components without a provider are under `deaf`. */
const bars = new WeakMap<object, Bars>();

function barsOf(owner: object): Bars {
  const known = bars.get(owner) ?? new Bars();
  bars.set(owner, known);
  return known;
}

/**
 * Return the progress of a job by now, moving on between the answers of the server.
 *
 * `isLost` is for jobs that the hooks do not follow: whether the last request failed.
 */
export function useBar(job: Job, isLost = false): BarView {
  const session = useContext(JobsContext);
  const watcher = session?.watcher;
  const own = barsOf(session ?? deaf);
  const followed = useSyncExternalStore<Connection>(
    watcher?.subscribe ?? deaf,
    () => watcher?.connectionOf(job) ?? "polling",
    () => "polling",
  );
  const connection = isLost ? "reconnecting" : followed;
  useEffect(() => own.take(job, connection), [own, job, connection]);
  return useSyncExternalStore(
    own.subscribe,
    () => own.view(job),
    () => firstView(job),
  );
}
