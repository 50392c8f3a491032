/** Who is asking: the caller's key, where the server wants one, and the name under which their worlds are saved. */
import type { components } from "@/lib/api/schema";
import { ask, configureJobs } from "@/lib/jobs/http";

const KEY = "loresmith.key";
const USER = "loresmith.user";

/** Send the key that was entered, if one was, with every request. */
export function installAccess(): void {
  configureJobs({ token: accessKey });
}

export const accessKey = (): string | null => localStorage.getItem(KEY);

/** Keep a key, and the name of the owner that it stands for: worlds must be made under that name. */
export async function setAccessKey(key: string): Promise<void> {
  localStorage.setItem(KEY, key);
  const { owner } = await ask<components["schemas"]["Me"]>("/me");
  localStorage.setItem(USER, owner);
}

/** The `user_id` of worlds that are made here: the key's owner; without keys the server takes any. */
export function userId(): string {
  const known = localStorage.getItem(USER);
  if (known) return known;
  const made = `reader-${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36) ?? "1"}`;
  localStorage.setItem(USER, made);
  return made;
}
