import { storage } from "./storage";
/** Parts of the page that are fetched when they are needed, and may be gone after an upgrade of the server. */

const RELOADED = "loresmith.reloaded";
const PAUSE_MS = 500;

/** Fetch a part; tries twice, then loads the page afresh, once: it names the parts that the server has now. */
export async function fetchPart<T>(load: () => Promise<T>, reload = () => location.reload()): Promise<T> {
  try {
    const part = await load().catch(async () => {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      return load();
    });
    storage.session.remove(RELOADED);
    return part;
  } catch (error) {
    if (!canRemember() || storage.session.get(RELOADED) !== null) throw error;
    storage.session.set(RELOADED, "1");
    reload();
    return new Promise<T>(() => undefined);
  }
}

/** Without a storage a page would not know that it was loaded afresh, and do so again and again. */
function canRemember(): boolean {
  try {
    sessionStorage.setItem(RELOADED + ".test", "1");
    sessionStorage.removeItem(RELOADED + ".test");
    return true;
  } catch {
    return false;
  }
}
