/** What a hook keeps for its own: which job is its, and which ends it has told. */
import type { QueryClient } from "@tanstack/react-query";
import {
  useCallback,
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import {
  changeEntry,
  currentEntry,
  type Entry,
  entries,
  entryOfJob,
  markTold,
  onEntriesChange,
  wasTold,
} from "@/lib/jobs/registry";
import { isCancelled, isDone } from "@/lib/jobs/rules";
import { resume } from "@/lib/jobs/submit";
import type { Job } from "@/lib/jobs/types";
import { cacheOf } from "./cache";

export const useEntries = (): Entry[] => useSyncExternalStore(onEntriesChange, entries, () => NONE);
const NONE: Entry[] = [];

/** Call back once when a job has ended: not again for renders, other observers, or coming back to it. */
export function useEnd<Result>(
  job: Job<Result> | undefined,
  entry: Entry | undefined,
  onComplete?: (result: Result) => void,
  onError?: (error: string) => void,
): void {
  const seenOpen = useRef<string>(undefined);
  const told = useRef<string>(undefined);
  const tell = useEffectEvent((ended: Job<Result>) => {
    if (ended.status === "completed") onComplete?.(ended.result as Result);
    else if (!(isCancelled(ended) && entry?.cancelled)) onError?.(ended.error ?? "The job failed");
  });
  useEffect(() => {
    if (!job) return;
    if (!isDone(job)) seenOpen.current = job.id;
    else if (told.current !== job.id) {
      told.current = job.id;
      if (seenOpen.current !== job.id && wasTold(job.id)) return;
      markTold(job.id);
      const seen = entryOfJob(job.id);
      if (seen) changeEntry(seen.submission, { dismissed: true });
      tell(job);
    }
  }, [job]);
}

/** Send again what a reload cut off; the key of the submit sees to it that it stays one job. */
export function useResume(
  client: QueryClient,
  entry: Entry | undefined,
  track: <T>(work: Promise<T>) => Promise<T>,
): void {
  const open = entry?.jobId === undefined ? entry : undefined;
  useEffect(() => {
    const sent = open && resume(open, cacheOf(client));
    if (sent) track(sent).catch(() => undefined);
  }, [client, open, track]);
}

const mounted = new Set<string>();

/** Return the hook's key, and what was submitted under it last. Without a name it is the page, and a number on it. */
export function useOwnEntry(name: string | undefined): { key: () => string; entry: Entry | undefined } {
  const [own, setOwn] = useState({ key: "", past: "" });
  const latest = useRef("");
  useLayoutEffect(() => {
    if (name !== undefined) {
      latest.current = name;
      return undefined;
    }
    const key = freeKey();
    mounted.add(key);
    latest.current = key;
    const last = currentEntry(key);
    // What has been told is past: only a hook with a name of its own brings an ended job back.
    // eslint-disable-next-line react-hooks/set-state-in-effect -- which key is free shows when hooks mount
    setOwn({ key, past: last?.jobId !== undefined && wasTold(last.jobId) ? last.submission : "" });
    return () => void mounted.delete(key);
  }, [name]);
  const listed = useEntries();
  const wanted = name ?? own.key;
  const entry = wanted === "" ? undefined : listed.find((each) => each.key === wanted);
  const key = useCallback(() => latest.current, []);
  return { key, entry: entry?.submission === own.past ? undefined : entry };
}

function freeKey(): string {
  for (let number = 0; ; number += 1) {
    const key = `${location.pathname}#${number}`;
    if (!mounted.has(key)) return key;
  }
}
