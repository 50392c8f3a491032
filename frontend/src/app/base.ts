/** What the server writes into the page. */
const meta = (name: string): string =>
  document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";

const written = meta("base");

/** The path under which a proxy shows this page, such as `/lore`; "" for none. */
export const BASE = written.startsWith("/") ? written.replace(/\/$/, "") : "";

/** Whether worlds are made here; a server that has people's own job types alone says no. */
export const MAKES_WORLDS = meta("product") !== "no";
