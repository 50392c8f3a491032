/** Who is asking: the caller's key, where the server wants one, and whose jobs and worlds are theirs. */
import { createJobsClient, forgetJobs, type Schemas } from "@loresmith/react";
import { useSyncExternalStore } from "react";
import { BASE } from "./base";
import { client } from "./queries";
import { storage } from "./storage";

const NAME = "loresmith.access";
const READER = "loresmith.reader";
const DRAFT = "loresmith.draft";

type Me = Schemas["Me"];

export interface Access extends Me {
  key: string | null;
  /** Why the page asks for a key: there is none, or the server no longer takes it; null while it does not ask. */
  asked: "none" | "ended" | null;
}

const NOBODY: Access = { key: null, owner: "", admin: false, asked: null };
let access = NOBODY;
const listeners = new Set<() => void>();

/** Sends the key that was entered, if one was, with every request, and asks for one when the server wants another. */
export const jobs = createJobsClient({
  baseUrl: BASE,
  token: () => access.key,
  onUnauthorized: (key) => {
    if ((key ?? null) === access.key) set({ ...access, asked: access.key === null ? "none" : "ended" });
  },
});

/** Take up the key that is kept, and follow other tabs. */
export function installAccess(): void {
  access = stored();
  addEventListener("storage", ({ key }) => {
    if (key === NAME && storage.session.get(NAME) === null) become(stored());
  });
}

/** Take a key if the server does: for as long as the tab is open, or until it is forgotten. Raises ApiError. */
export async function enterKey(key: string, isKept: boolean): Promise<void> {
  const me = await jobs.request<Me>("/me", { headers: { Authorization: `Bearer ${key}` } });
  forgetStored();
  const { owner, admin } = me;
  const area = isKept ? storage.local : storage.session;
  area.set(NAME, JSON.stringify({ key, owner, admin }));
  become({ key, owner, admin, asked: null });
}

/** Forget the key, and what this browser keeps of its owner: jobs and the world that was put together. */
export function forgetKey(): void {
  forgetJobs(client, jobs, access.owner, storage);
  storage.local.remove(draftName());
  forgetStored();
  become(NOBODY);
}

/** Go on as somebody: what was fetched for somebody else is gone, what is on screen stays for the same owner. */
function become(next: Access): void {
  if (next.owner !== access.owner) {
    client.clear();
  }
  set(next);
  void client.invalidateQueries();
}

function set(next: Access): void {
  access = next;
  listeners.forEach((listener) => listener());
}

export const useAccess = (): Access => useSyncExternalStore(subscribe, () => access);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function stored(): Access {
  const text = storage.session.get(NAME) ?? storage.local.get(NAME);
  try {
    const { key, owner, admin } = JSON.parse(text ?? "") as Partial<Access>;
    return typeof key === "string" ? { key, owner: owner ?? "", admin: admin === true, asked: null } : NOBODY;
  } catch {
    return NOBODY;
  }
}

function forgetStored(): void {
  storage.session.remove(NAME);
  storage.local.remove(NAME);
}

/** Under which name the world that is being put together is kept. */
export const draftName = (): string => (access.owner ? `${DRAFT}:${access.owner}` : DRAFT);

/** The `user_id` of worlds that are made here: the key's owner; without keys the server takes any. */
export function userId(): string {
  if (access.owner) return access.owner;
  const known = storage.local.get(READER);
  if (known) return known;
  const made = `reader-${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36) ?? "1"}`;
  storage.local.set(READER, made);
  return made;
}
