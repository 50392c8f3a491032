/** Which jobs this browser has submitted: kept over reloads, shared by all tabs, with no payload in it. */
import { getItem, namesOf, onFull, parsed, removeItem, setItem, storedNames } from "./storage";

const PREFIX = "loresmith.job:";
const STASH = "loresmith.submit:";
const TOLD = "loresmith.told";
const KEPT_MS = 24 * 3600_000;

export interface Entry {
  /** Sent as Idempotency-Key: it stands for this submit, however often it is sent. */
  submission: string;
  /** Which hook follows it; "" for none. */
  key: string;
  type: string;
  /** Tells two requests apart without telling what is in them. */
  print: string;
  at: number;
  jobId?: string;
  /** The user cancelled it here. */
  cancelled?: boolean;
  dismissed?: boolean;
}

let owner = "";

/** Keep and find the jobs of this owner only, where callers show who they are; "" for whoever sits here. */
export function keepFor(next: string): void {
  owner = next && `${encodeURIComponent(next)}/`;
  changed();
}

/** Tell whether something is kept for the present owner. */
const isOwn = (name: string): boolean =>
  name.startsWith(PREFIX + owner) && !name.includes("/", PREFIX.length + owner.length);

/** Forget all jobs of the present owner here; on the server they go on. */
export function removeAll(): void {
  entries().forEach(({ submission }) => removeEntry(submission));
}

const listeners = new Set<() => void>();
let cached: Entry[] = [];
let isStale = true;

/** All entries, newest first; the same array until something changes. */
export function entries(): Entry[] {
  if (isStale || listeners.size === 0) {
    const found = read();
    if (JSON.stringify(found) !== JSON.stringify(cached)) cached = found;
    isStale = false;
  }
  return cached;
}

export function currentEntry(key: string): Entry | undefined {
  return entries().find((entry) => entry.key === key);
}

export function entryOfJob(jobId: string): Entry | undefined {
  return entries().find((entry) => entry.jobId === jobId);
}

/** Add an entry as the newest, also where the clock stands still. */
export function addEntry(entry: Omit<Entry, "at">): Entry {
  const added = { ...entry, at: Math.max(Date.now(), (entries()[0]?.at ?? 0) + 1) };
  putEntry(added);
  return added;
}

function putEntry(entry: Entry): void {
  setItem("localStorage", PREFIX + owner + entry.submission, JSON.stringify(entry));
  changed();
}

/** Change an entry, unless it was removed meanwhile. */
export function changeEntry(submission: string, changes: Partial<Entry>): void {
  const entry = entries().find((each) => each.submission === submission);
  if (entry) putEntry({ ...entry, ...changes });
}

export function removeEntry(submission: string): void {
  removeItem("localStorage", PREFIX + owner + submission);
  removeItem("sessionStorage", STASH + submission);
  changed();
}

export function onEntriesChange(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    isStale = true;
    addEventListener("storage", fromOtherTab);
    addEventListener("focus", changed); // where no such events come
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    removeEventListener("storage", fromOtherTab);
    removeEventListener("focus", changed);
  };
}

function fromOtherTab(event: StorageEvent): void {
  if (event.key === null || event.key.startsWith(PREFIX)) changed();
}

function changed(): void {
  isStale = true;
  listeners.forEach((listener) => listener());
}

function read(): Entry[] {
  const names = namesOf("localStorage").filter(isOwn);
  const found = names.map((name) => parse(getItem("localStorage", name)));
  const fresh = found.filter((entry): entry is Entry => entry !== null && entry.at > Date.now() - KEPT_MS);
  const kept = new Set(fresh.map(({ submission }) => PREFIX + owner + submission));
  names.filter((name) => !kept.has(name)).forEach((name) => removeItem("localStorage", name));
  return fresh.sort((a, b) => b.at - a.at);
}

function parse(text: string | null): Entry | null {
  const entry = parsed(text) as Partial<Entry> | null;
  return typeof entry?.submission === "string" && typeof entry.at === "number" ? (entry as Entry) : null;
}

/** In a full storage the oldest job whose end was seen goes first, and no open one ever does. */
onFull(() => {
  const seen = storedNames("localStorage")
    .filter((name) => name.startsWith(PREFIX))
    .flatMap((name) => ({ name, entry: parse(getItem("localStorage", name)) }))
    .filter(({ entry }) => !entry || entry.dismissed)
    .sort((a, b) => (a.entry?.at ?? 0) - (b.entry?.at ?? 0));
  const [oldest] = seen;
  if (oldest) removeItem("localStorage", oldest.name);
  return oldest !== undefined;
});

/** A request on its way, for a reload in the middle of it: in this tab only, and only until it is answered. */
export const stash = {
  put: (submission: string, request: unknown) =>
    setItem("sessionStorage", STASH + submission, JSON.stringify(request)),
  get: (submission: string): unknown => parsed(getItem("sessionStorage", STASH + submission)),
  drop: (submission: string) => removeItem("sessionStorage", STASH + submission),
};

/** Of which jobs this tab was told the end. */
export function wasTold(jobId: string): boolean {
  return told().includes(jobId);
}

export function markTold(jobId: string): void {
  setItem("sessionStorage", TOLD, JSON.stringify([...told(), jobId].slice(-100)));
}

function told(): string[] {
  const ids = parsed(getItem("sessionStorage", TOLD));
  return Array.isArray(ids) ? (ids as string[]) : [];
}

/** A text that differs for requests that differ, whatever order their members are in (FNV-1a, twice 32 bits). */
export function fingerprint(request: unknown): string {
  let [a, b] = [0x811c9dc5, 0xc9dc5811];
  for (const letter of canonical(request)) {
    a = Math.imul(a ^ letter.charCodeAt(0), 0x01000193);
    b = Math.imul(b ^ letter.charCodeAt(0), 0x01000197);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}

function canonical(value: unknown): string {
  const sort = (_: string, part: unknown) =>
    part && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part;
  return JSON.stringify(value, sort);
}
