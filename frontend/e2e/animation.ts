/** A moving picture of a page: an SVG that shows one still after another, and needs no program to make it. */
import type { Page } from "@playwright/test";

const FRAME_SECONDS = 0.9;
const QUALITY = 55;

/** Take stills until `isOver`, and a few more for the end to be looked at. */
export async function stillsOf(page: Page, isOver: () => Promise<boolean>, most: number): Promise<Buffer[]> {
  const stills: Buffer[] = [];
  while (stills.length < most - 1 && !(await isOver())) {
    stills.push(await page.screenshot({ type: "jpeg", quality: QUALITY }));
    await page.waitForTimeout(150);
  }
  await page.waitForTimeout(3_000);
  return [...stills, await page.screenshot({ type: "jpeg", quality: QUALITY })];
}

export function animated(stills: readonly Buffer[], width: number, height: number): string {
  const count = stills.length + 2; // the last one stays for three turns
  const total = count * FRAME_SECONDS;
  const images = stills.map((still, at) => {
    const [from, to] = [(at / count) * 100, at === stills.length - 1 ? 100 : ((at + 1) / count) * 100];
    const rule = `@keyframes k${at}{0%{opacity:${at === 0 ? 1 : 0}}${from}%{opacity:1}${to}%{opacity:0}100%{opacity:0}}`;
    const data = still.toString("base64");
    return (
      `<style>${rule}#i${at}{animation:k${at} ${total}s step-end infinite}</style>` +
      `<image id="i${at}" width="${width}" height="${height}" href="data:image/jpeg;base64,${data}"/>`
    );
  });
  const box = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box}>${images.join("")}</svg>\n`;
}
