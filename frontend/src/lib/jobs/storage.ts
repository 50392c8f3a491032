/** What is kept in the browser: its storage, and memory for what that will not take (blocked, absent, full, broken). */

export type Kind = "localStorage" | "sessionStorage";

/** By name; null stands for what was removed and could not be removed from the storage. */
const memory: Record<Kind, Map<string, string | null>> = {
  localStorage: new Map(),
  sessionStorage: new Map(),
};
let evict: () => boolean = () => false;
let hasSaid = false;
const warn = () => console.warn("LoreSmith: the browser keeps nothing here: jobs are forgotten on reload");
let say: () => void = warn;

/** Say how to make room in a full storage: removes something that is not needed, and returns whether there was any. */
export function onFull(remove: () => boolean): void {
  evict = remove;
}

/** Say whom to tell, once, that what is kept lasts only as long as the page; by default: the console. */
export function onForgetful(listener: () => void): void {
  say = listener;
  if (hasSaid) listener();
}

export function getItem(kind: Kind, name: string): string | null {
  const held = memory[kind].get(name);
  return held !== undefined ? held : (tried(kind, (store) => store.getItem(name)) ?? null);
}

/** Keep a value; where the storage will not take it, in memory until it does. */
export function setItem(kind: Kind, name: string, value: string): void {
  memory[kind].set(name, value);
  for (const [held, text] of memory[kind]) {
    if (text !== null && stored(kind, held, text)) memory[kind].delete(held);
  }
  if (memory[kind].has(name)) forgetful();
}

export function removeItem(kind: Kind, name: string): void {
  memory[kind].set(name, null);
  const isRemoved = tried(kind, (store) => {
    store.removeItem(name);
    return true;
  });
  if (isRemoved) memory[kind].delete(name);
}

export function namesOf(kind: Kind): string[] {
  const names = new Set(storedNames(kind));
  memory[kind].forEach((value, name) => (value === null ? names.delete(name) : names.add(name)));
  return [...names];
}

/** Names of what is in the storage itself: removing those makes room. */
export function storedNames(kind: Kind): string[] {
  const found = tried(kind, (store) =>
    Array.from({ length: store.length }, (_, at) => store.key(at)).filter((name) => name !== null),
  );
  return found ?? [];
}

/** Read JSON that anybody may have written; null for what is none. */
export function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

function stored(kind: Kind, name: string, value: string): boolean {
  const put = (store: Storage) => {
    store.setItem(name, value);
    store.key(0);
    return store.getItem(name) === value; // some take everything, and give nothing back
  };
  while (!tried(kind, put, true)) {
    if (kind !== "localStorage" || !storeOf(kind) || !evict()) return false;
  }
  return true;
}

function tried<T>(kind: Kind, act: (store: Storage) => T, isQuiet = false): T | undefined {
  try {
    const store = storeOf(kind);
    if (store) return act(store);
  } catch {
    // as where there is none
  }
  if (!isQuiet) forgetful();
  return undefined;
}

function storeOf(kind: Kind): Storage | null {
  try {
    // Embedded browsers have null here, and those that block site data throw.
    return (globalThis as Partial<Record<Kind, Storage | null>>)[kind] ?? null;
  } catch {
    return null;
  }
}

function forgetful(): void {
  if (hasSaid || typeof window === "undefined") return;
  hasSaid = true;
  say();
}
