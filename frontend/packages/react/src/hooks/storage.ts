/** The storage of the browser, and memory for what it does not keep: it may be blocked, absent, full or broken. */

type Kind = "localStorage" | "sessionStorage";

export interface StorageArea {
  get: (name: string) => string | null;
  /** Read JSON that any program may have written; null where it is not JSON. */
  getJson: (name: string) => unknown;
  /** Keep a value; where the storage does not take it, in memory until it does. */
  set: (name: string, value: string) => void;
  remove: (name: string) => void;
  names: () => string[];
  /** Return whether a value is in memory alone, so that to remove it makes no room. */
  isInMemory: (name: string) => boolean;
}

export interface BrowserStorage {
  local: StorageArea;
  session: StorageArea;
  /** Set a function that removes one value that is not needed from a full storage, and returns whether it did. */
  onFull: (evict: () => boolean) => void;
}

const warn = () => console.warn("LoreSmith: the browser keeps nothing: jobs are forgotten on reload");

/**
 * Return the storage of the browser, with memory where it keeps nothing.
 *
 * `onForgetful` is called once, when values last only as long as the page; by default the console says so.
 */
export function createBrowserStorage(onForgetful: () => void = warn): BrowserStorage {
  let evict = () => false;
  let isForgetful = false;
  const warnOnce = () => {
    if (isForgetful) return;
    isForgetful = true;
    onForgetful();
  };
  return {
    local: createArea("localStorage", warnOnce, () => evict()),
    session: createArea("sessionStorage", warnOnce, () => false),
    onFull: (next) => {
      evict = next;
    },
  };
}

function createArea(kind: Kind, warnOnce: () => void, evict: () => boolean): StorageArea {
  /** By name; null stands for a value that was removed and could not be removed from the storage. */
  const memory = new Map<string, string | null>();

  const get = (name: string) => {
    const held = memory.get(name);
    return held !== undefined ? held : (attempt((store) => store.getItem(name)) ?? null);
  };

  function attempt<T>(act: (store: Storage) => T, isQuiet = false): T | undefined {
    try {
      // Embedded browsers have null here, and those that block site data throw.
      const store = (globalThis as Partial<Record<Kind, Storage | null>>)[kind];
      if (store) return act(store);
    } catch {
      // as where there is none
    }
    if (!isQuiet) warnOnce();
    return undefined;
  }

  function put(name: string, value: string): boolean {
    const act = (store: Storage) => {
      store.setItem(name, value);
      store.key(0);
      return store.getItem(name) === value; // some take everything, and give nothing back
    };
    while (!attempt(act, true)) if (!attempt(Boolean, true) || !evict()) return false;
    return true;
  }

  return {
    get,
    isInMemory: (name) => memory.has(name),

    getJson(name) {
      try {
        return JSON.parse(get(name) ?? "null") as unknown;
      } catch {
        return null;
      }
    },

    set(name, value) {
      memory.set(name, value);
      for (const [held, text] of memory) if (text !== null && put(held, text)) memory.delete(held);
      if (memory.has(name)) warnOnce();
    },

    remove(name) {
      memory.set(name, null);
      const isRemoved = attempt((store) => {
        store.removeItem(name);
        return true;
      });
      if (isRemoved) memory.delete(name);
    },

    names() {
      const names = new Set(
        attempt((store) => Array.from({ length: store.length }, (_, at) => store.key(at) ?? "")),
      );
      memory.forEach((value, name) => (value === null ? names.delete(name) : names.add(name)));
      return [...names];
    },
  };
}
