/** What the page keeps in the browser, and word of it when the browser keeps nothing. */
import { createBrowserStorage } from "@loresmith/react";

let forgets = false;
const listeners = new Set<() => void>();

export const storage = createBrowserStorage(() => {
  forgets = true;
  listeners.forEach((listener) => listener());
});

/** Return whether what is kept lasts only as long as the page. */
export const isForgetful = (): boolean => forgets;

export function onForgetful(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
