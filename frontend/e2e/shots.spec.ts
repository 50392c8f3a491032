import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "@playwright/test";
import { animated, stillsOf } from "./animation";
import { expect, FIXTURE_MS, Stack, test as base } from "./stack";

/** Pictures of every page, in both themes and two widths: `make shots`. SHOTS_MODEL=embedded lets the real model write. */
const OUT = fileURLToPath(new URL("../shots/", import.meta.url));
const MODEL = process.env.SHOTS_MODEL === "embedded" ? null : "fake?seconds=0.4&tokens=20&seed=11&slots=2";
const LOOKS = (["light", "dark"] as const).flatMap((colorScheme) =>
  [1280, 390].map((width) => ({ colorScheme, width, height: width > 600 ? 900 : 844 })),
);
const LONG_MS = 10 * 60_000;
const test = base.extend<object, { stack: Stack }>({
  stack: [
    async ({}, use) => {
      const stack = await Stack.start(MODEL);
      await use(stack);
      await stack.stop();
    },
    { scope: "worker", timeout: FIXTURE_MS },
  ],
});

test("pictures @shots", async ({ browser, stack }) => {
  test.setTimeout(LONG_MS);
  mkdirSync(OUT, { recursive: true });
  const page = await browser.newPage({ baseURL: stack.url, viewport: { width: 1280, height: 900 } });
  await page.goto("/");
  await page.getByRole("button", { name: "Forge all five kinds" }).click();
  await expect(page.locator(".piece").nth(3)).toBeVisible({ timeout: LONG_MS });
  await everywhere(browser, stack, page, "forge-working", "/", 0);
  await expect(page.getByRole("button", { name: "Forge three others" })).toHaveCount(5, { timeout: LONG_MS });
  for (const kind of ["Characters", "Factions", "Settings", "Events", "Relics"])
    await page
      .getByRole("list", { name: kind })
      .getByRole("button", { name: /^Choose/ })
      .nth(1)
      .click();
  await everywhere(browser, stack, page, "forge", "/");
  await page.getByRole("button", { name: "Write the world" }).click();
  await expect(page.locator(".story p").nth(1)).toBeVisible({ timeout: LONG_MS });
  await everywhere(browser, stack, page, "story", new URL(page.url()).pathname, 0);
  await page.getByRole("link", { name: "This world has a page of its own" }).click({ timeout: LONG_MS });
  await everywhere(browser, stack, page, "world", new URL(page.url()).pathname);
  await everywhere(browser, stack, page, "my-worlds", "/my-worlds");
  const failed = await page.request.post("/jobs", {
    data: { type: "generate_relics", payload: { theme: "fantasy", count: 10 } },
  });
  const { id } = (await failed.json()) as { id: string };
  await page.request.post(`/jobs/${id}/cancel`);
  await page.request.post("/jobs", {
    data: { type: "generate_events", payload: { theme: "cyberpunk", count: 10 } },
  });
  await everywhere(browser, stack, page, "my-jobs", "/my-jobs");
  await everywhere(browser, stack, page, "job", `/my-jobs/${id}`);
  await everywhere(browser, stack, page, "submit", "/submit/create_world");
  await everywhere(browser, stack, page, "nowhere", "/story/00000000-0000-4000-8000-000000000000");
});

test("pictures of a locked page @shots", async ({ browser, stack }) => {
  mkdirSync(OUT, { recursive: true });
  const asked = await browser.newPage({ baseURL: stack.url });
  await everywhere(browser, stack, asked, "locked", "/", 0, (context) =>
    context.route("**/job-types", (route) => route.fulfill({ status: 401, json: { code: "unauthorized" } })),
  );
});

test("a moving picture @shots", async ({ browser, stack }) => {
  test.setTimeout(LONG_MS);
  mkdirSync(OUT, { recursive: true });
  const size = { width: 800, height: 560 };
  const page = await browser.newPage({ baseURL: stack.url, viewport: size, colorScheme: "dark" });
  await page.goto("/");
  await page.getByLabel("Norse mythology").check();
  const forge = page.getByRole("button", { name: "Forge three characters" });
  await forge.evaluate((button) => button.closest("section")?.scrollIntoView());
  const first = await page.screenshot({ type: "jpeg", quality: 55 });
  await forge.click();
  const again = page.getByRole("button", { name: "Forge three others" });
  const stills = await stillsOf(page, async () => (await again.count()) > 0, 9);
  writeFileSync(`${OUT}forging.svg`, animated([first, ...stills], size.width, size.height));
});

async function everywhere(
  browser: Browser,
  stack: Stack,
  from: Page,
  name: string,
  path: string,
  calmMs = 3_000,
  prepare: (context: BrowserContext) => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const storageState = await from.context().storageState();
  for (const { colorScheme, width, height } of LOOKS) {
    const context = await browser.newContext({
      baseURL: stack.url,
      colorScheme,
      viewport: { width, height },
      storageState,
      reducedMotion: "reduce",
    });
    await prepare(context);
    const page = await context.newPage();
    await page.goto(path);
    await page.getByRole("heading").first().waitFor();
    await page.evaluate(() => document.fonts.ready);
    await page.waitForTimeout(Math.min(calmMs, 900));
    await page.screenshot({ path: `${OUT}${name}-${colorScheme}-${width}.png` });
    if (width < 600 || name === "world" || name === "my-jobs")
      await page.screenshot({ path: `${OUT}${name}-${colorScheme}-${width}-whole.png`, fullPage: true });
    await context.close();
  }
}
