/** Places for event streams: browsers open six HTTP/1.1 connections to a host, over all tabs together. */

const OVER_ALL_TABS = 3;
const IN_ONE_TAB = 2;

/** Return a function that takes a place: it returns what gives the place back, or null when all are taken. */
export function streamSlots(name: string): () => Promise<(() => void) | null> {
  let taken = 0;
  /** Pages that are not served from this machine or over TLS have no locks that tabs share. */
  const takeOwn = () => {
    if (taken >= IN_ONE_TAB) return null;
    taken += 1;
    return () => void (taken -= 1);
  };
  return async () => {
    if (!("locks" in navigator)) return takeOwn();
    for (let number = 0; number < OVER_ALL_TABS; number += 1) {
      const release = await tryLock(`loresmith-stream-${name}-${number}`);
      if (release) return release;
    }
    return null;
  };
}

function tryLock(name: string): Promise<(() => void) | null> {
  return new Promise((resolve) => {
    const hold = (lock: Lock | null) => {
      if (lock) return new Promise<void>((release) => resolve(release));
      resolve(null);
      return undefined;
    };
    navigator.locks.request(name, { ifAvailable: true }, hold).catch(() => resolve(null));
  });
}
