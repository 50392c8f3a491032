/** The jobs that this browser has submitted: kept over reloads, shared by all tabs, with no payload in them. */
import { hashKey } from "@tanstack/react-query";
import type { BrowserStorage } from "./storage.js";

const PREFIX = "loresmith.job:";
const STASH = "loresmith.submit:";
const REPORTED = "loresmith.reported:";
const KEPT_MS = 24 * 3600_000;

export interface Entry {
  /** Sent as Idempotency-Key: it stands for this submit, however often it is sent. */
  submission: string;
  /** The key of the hook that follows it; "" for none. */
  key: string;
  type: string;
  /** A fingerprint of the request. */
  print: string;
  at: number;
  jobId?: string;
  /** The user cancelled it here. */
  cancelled?: boolean;
  dismissed?: boolean;
}

export type Registry = ReturnType<typeof createRegistry>;

/** Return the entries of one backend and one owner. */
export function createRegistry({ local, session, onFull }: BrowserStorage, name: string, owner: string) {
  const prefix =
    PREFIX + (name && `@${encodeURIComponent(name)}/`) + (owner && `${encodeURIComponent(owner)}/`);
  const listeners = new Set<() => void>();
  let cached: Entry[] = [];
  let isStale = true;

  /** Return all entries, newest first; the same array until something changes. */
  function entries(): Entry[] {
    if (isStale || !listeners.size) {
      isStale = false;
      const found = read();
      if (hashKey(found) !== hashKey(cached)) cached = found;
    }
    return cached;
  }

  function read(): Entry[] {
    const found: Entry[] = [];
    for (const stored of local.names()) {
      if (!stored.startsWith(prefix) || stored.includes("/", prefix.length)) continue;
      const entry = local.getJson(stored) as Entry | null;
      if (entry?.submission && entry.at > Date.now() - KEPT_MS) found.push(entry);
      else local.remove(stored);
    }
    return found.sort((a, b) => b.at - a.at);
  }

  function find<Field extends keyof Entry>(field: Field, value: Entry[Field]): Entry | undefined {
    return entries().find((entry) => entry[field] === value);
  }

  function put(entry: Entry): Entry {
    local.set(prefix + entry.submission, JSON.stringify(entry));
    changed();
    return entry;
  }

  function remove(submission: string): void {
    local.remove(prefix + submission);
    changed();
  }

  function changed(): void {
    isStale = true;
    listeners.forEach((listener) => listener());
  }

  function onStorage({ key }: StorageEvent): void {
    if (!key || key.startsWith(PREFIX)) changed();
  }

  // In a full storage the oldest job whose end was seen goes first, and no open one ever does.
  onFull(() => {
    const oldest = entries().findLast(
      (each) => each.dismissed && !local.isInMemory(prefix + each.submission),
    );
    if (oldest) remove(oldest.submission);
    return oldest !== undefined;
  });

  return {
    entries,
    /** Return the newest entry with this value. */
    find,
    remove,

    /** Add an entry as the newest, also where the clock stands still. */
    add: (entry: Omit<Entry, "at">) =>
      put({ ...entry, at: Math.max(Date.now(), (entries()[0]?.at ?? 0) + 1) }),

    /** Change the newest entry with this value, if there is one. */
    change: <Field extends keyof Entry>(field: Field, value: Entry[Field], changes: Partial<Entry>): void => {
      const entry = find(field, value);
      if (entry) put({ ...entry, ...changes });
    },

    subscribe: (listener: () => void): (() => void) => {
      listeners.add(listener);
      isStale = true;
      addEventListener("storage", onStorage);
      addEventListener("focus", changed); // where no such events come
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        removeEventListener("storage", onStorage);
        removeEventListener("focus", changed);
      };
    },

    /** Keep a request on its way, for a reload in the middle of it: in this tab, until it is answered. */
    stash: (submission: string, request: unknown) => session.set(STASH + submission, JSON.stringify(request)),
    stashed: (submission: string) => session.getJson(STASH + submission),
    unstash: (submission: string) => session.remove(STASH + submission),

    /** Return whether a callback of this tab was called for the end of the job. */
    isReported: (jobId: string) => session.get(REPORTED + jobId) !== null,
    markReported: (jobId: string) => session.set(REPORTED + jobId, "1"),
  };
}

/** Return a text that differs for requests that differ, in any order of their members: FNV-1a, 32 bits, and a length. */
export function fingerprint(request: unknown): string {
  const text = hashKey([request]);
  let hash = 0x811c9dc5;
  for (const letter of text) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return `${hash}.${text.length}`;
}
