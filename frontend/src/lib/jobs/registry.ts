/** Which jobs this browser has submitted: kept over reloads, shared by all tabs, with no payload in it. */

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
  keep("localStorage", PREFIX + owner + entry.submission, JSON.stringify(entry));
  changed();
}

/** Change an entry, unless it was removed meanwhile. */
export function changeEntry(submission: string, changes: Partial<Entry>): void {
  const entry = entries().find((each) => each.submission === submission);
  if (entry) putEntry({ ...entry, ...changes });
}

export function removeEntry(submission: string): void {
  storage("localStorage").removeItem(PREFIX + owner + submission);
  storage("sessionStorage").removeItem(STASH + submission);
  changed();
}

export function onEntriesChange(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    isStale = true;
    addEventListener("storage", fromOtherTab);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) removeEventListener("storage", fromOtherTab);
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
  const store = storage("localStorage");
  const names = Array.from({ length: store.length }, (_, at) => store.key(at) ?? "").filter(isOwn);
  const found = names.map((name) => parse(store.getItem(name)));
  const fresh = found.filter((entry): entry is Entry => entry !== null && entry.at > Date.now() - KEPT_MS);
  const kept = new Set(fresh.map(({ submission }) => PREFIX + owner + submission));
  names.filter((name) => !kept.has(name)).forEach((name) => store.removeItem(name));
  return fresh.sort((a, b) => b.at - a.at);
}

function parse(text: string | null): Entry | null {
  try {
    const entry = JSON.parse(text ?? "") as Partial<Entry> | null;
    return typeof entry?.submission === "string" && typeof entry.at === "number" ? (entry as Entry) : null;
  } catch {
    return null;
  }
}

/** A request on its way, for a reload in the middle of it: in this tab only, and only until it is answered. */
export const stash = {
  put: (submission: string, request: unknown) =>
    keep("sessionStorage", STASH + submission, JSON.stringify(request)),
  get: (submission: string): unknown => {
    const text = storage("sessionStorage").getItem(STASH + submission);
    return text === null ? null : (JSON.parse(text) as unknown);
  },
  drop: (submission: string) => storage("sessionStorage").removeItem(STASH + submission),
};

/** Of which jobs this tab was told the end. */
export function wasTold(jobId: string): boolean {
  return told().includes(jobId);
}

export function markTold(jobId: string): void {
  keep("sessionStorage", TOLD, JSON.stringify([...told(), jobId].slice(-100)));
}

function told(): string[] {
  return JSON.parse(storage("sessionStorage").getItem(TOLD) ?? "[]") as string[];
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

type Store = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

class Memory implements Store {
  private readonly kept = new Map<string, string>();
  get length() {
    return this.kept.size;
  }
  getItem = (name: string) => this.kept.get(name) ?? null;
  setItem = (name: string, value: string) => void this.kept.set(name, value);
  removeItem = (name: string) => void this.kept.delete(name);
  key = (at: number) => [...this.kept.keys()][at] ?? null;
}

type Kind = "localStorage" | "sessionStorage";
const memory: Record<Kind, Memory> = { localStorage: new Memory(), sessionStorage: new Memory() };
const refused = new Set<Kind>();

/** The browser's storage; where it is forbidden or full, one that lasts as long as the page. */
function storage(kind: Kind): Store {
  try {
    return refused.has(kind) ? memory[kind] : globalThis[kind];
  } catch {
    refused.add(kind);
    return memory[kind];
  }
}

function keep(kind: Kind, name: string, value: string): void {
  try {
    storage(kind).setItem(name, value);
  } catch {
    refused.add(kind);
    memory[kind].setItem(name, value);
  }
}
