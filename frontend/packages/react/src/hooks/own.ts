"use client";
/** What a hook keeps for itself: which job is its own, and which ends it has reported. */
import {
  useCallback,
  useEffect,
  useInsertionEffect,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { isCancelled, isDone } from "../client/rules.js";
import { isServer } from "../query.js";
import type { Job } from "../types.js";
import type { Entry } from "./registry.js";
import type { Session } from "./session.js";
import { resume } from "./submit.js";

const NONE: Entry[] = [];
// React 18 warns of layout effects on a server.
const useBrowserLayoutEffect = isServer ? useEffect : useLayoutEffect;

/** Return the jobs of this browser; on a server, and while its page is hydrated: none. */
export const useEntries = ({ registry }: Session): Entry[] =>
  useSyncExternalStore(registry.subscribe, registry.entries, () => NONE);

/** Call back once when a job has ended: not again for renders, other observers, or coming back to it. */
export function useEnd<Result, Item>(
  { registry }: Session,
  job: Job<Result, Item> | undefined,
  entry: Entry | undefined,
  onSuccess?: (result: Result) => void,
  onError?: (error: string) => void,
): void {
  const state = useRef({
    openId: "",
    reportedId: "",
    report: undefined as ((ended: Job<Result, Item>) => void) | undefined,
  });
  useInsertionEffect(() => {
    state.current.report = (ended) => {
      if (ended.status === "completed") onSuccess?.(ended.result as Result);
      else if (!(isCancelled(ended) && entry?.cancelled)) onError?.(ended.error ?? "The job failed");
    };
  });
  useEffect(() => {
    if (!job) return;
    const { openId, reportedId, report } = state.current;
    if (!isDone(job)) state.current.openId = job.id;
    else if (reportedId !== job.id) {
      state.current.reportedId = job.id;
      if (openId !== job.id && registry.isReported(job.id)) return;
      registry.markReported(job.id);
      registry.change("jobId", job.id, { dismissed: true });
      report?.(job);
    }
  }, [registry, job]);
}

/** Send again what a reload cut off; the key of the submit sees to it that it stays one job. */
export function useResume(
  session: Session,
  entry: Entry | undefined,
  track: (work: () => Promise<Job>) => Promise<unknown>,
): void {
  const open = entry?.jobId === undefined ? entry : undefined;
  useEffect(() => {
    const sent = open && resume(session, open);
    if (sent) track(() => sent).catch(() => undefined);
  }, [session, open, track]);
}

/** Return the hook's key, and what was submitted under it last. Without a name it is the page, and a number on it. */
export function useOwnEntry(session: Session, name: string | undefined) {
  const { registry, mounted } = session;
  const [own, setOwn] = useState({ key: "", past: "" });
  const latest = useRef("");
  useBrowserLayoutEffect(() => {
    if (name !== undefined) {
      latest.current = name;
      return undefined;
    }
    let [key, number] = ["", 0];
    do key = `${location.pathname}#${number++}`;
    while (mounted.has(key));
    mounted.add(key);
    latest.current = key;
    const last = registry.find("key", key);
    // A reported end is past: only a hook with a name of its own brings an ended job back.
    // Which key is free shows when hooks mount.
    setOwn({ key, past: last?.jobId && registry.isReported(last.jobId) ? last.submission : "" });
    return () => void mounted.delete(key);
  }, [name, registry, mounted]);
  const wanted = name ?? own.key;
  const found = useEntries(session).find((each) => wanted !== "" && each.key === wanted);
  const key = useCallback(() => latest.current, []);
  return { key, entry: found?.submission === own.past ? undefined : found };
}
