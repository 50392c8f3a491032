/** The path under which a proxy shows this page, such as `/lore`; "" for none. The server writes it into the page. */
const written = document.querySelector<HTMLMetaElement>('meta[name="base"]')?.content ?? "";

export const BASE = written.startsWith("/") ? written.replace(/\/$/, "") : "";
