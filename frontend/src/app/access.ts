/** Who is asking: the caller's key, where the server wants one, and the name under which their worlds are saved. */
import { configureJobs } from "@/lib/jobs/http";

const KEY = "loresmith.key";
const USER = "loresmith.user";

/** Send the key that was entered, if one was, with every request. */
export function installAccess(): void {
  configureJobs({ token: accessKey });
}

export const accessKey = (): string | null => localStorage.getItem(KEY);

export function setAccessKey(key: string): void {
  if (key) localStorage.setItem(KEY, key);
  else localStorage.removeItem(KEY);
}

/** The `user_id` of worlds that are made here: without keys the server takes any. */
export function userId(): string {
  const known = localStorage.getItem(USER);
  if (known) return known;
  const made = `reader-${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36) ?? "1"}`;
  localStorage.setItem(USER, made);
  return made;
}
