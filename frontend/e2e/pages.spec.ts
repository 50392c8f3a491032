import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "@playwright/test";
import { expect, Stack, test } from "./stack";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PATHS = ["/", "/my-worlds", "/my-jobs", "/submit", "/submit/create_world"];

async function violations(page: Page): Promise<string[]> {
  // Evaluated by the debugger, which the content policy does not concern.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const found = await axe.run();
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ""}`);
  });
}

for (const colorScheme of ["light", "dark"] as const)
  test(`every page is accessible and fits a phone, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width: 360, height: 740 });
    for (const path of PATHS) {
      await page.goto(path);
      await page.getByRole("heading").first().waitFor();
      expect(await violations(page), path).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(360);
    }
  });

test("a world can be forged with the keyboard alone", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("radio").first().waitFor();
  const press = async (name: RegExp) => {
    for (let step = 0; step < 80; step += 1) {
      await page.keyboard.press("Tab");
      const text = await page.evaluate(() => document.activeElement?.textContent ?? "");
      if (name.test(text) && (await page.evaluate(() => document.activeElement?.tagName)) === "BUTTON")
        return page.keyboard.press("Enter");
    }
    throw new Error(`no button ${String(name)} is reached with Tab`);
  };
  await press(/^Forge three relics$/);
  await expect(page.getByRole("list", { name: "Relics" }).getByRole("listitem")).toHaveCount(3);
  await press(/^Choose /);
  await expect(page.getByRole("button", { name: /^Chosen/ })).toBeVisible();
  await press(/^Write the world$/);
  await expect(page).toHaveURL(/\/story\//);
});

test("a form for every kind of job, and what is wrong with it, comes from the server", async ({ page }) => {
  await page.goto("/submit/generate_characters");
  await page.getByLabel("Count").fill("2");
  await page.getByLabel("Theme").fill("   ");
  await page.getByRole("button", { name: "Submit" }).click();
  await expect(page.getByText("Some of this is not right yet.")).toBeVisible();
  await page.getByLabel("Theme").fill("a city of clocks");
  await page.getByRole("button", { name: "Submit" }).click();
  await expect(page).toHaveURL(/\/my-jobs\//);
  await expect(page.getByRole("heading", { name: "Result" })).toBeVisible();
  await page.getByRole("link", { name: "Jobs", exact: true }).click();
  await expect(page.getByRole("row").filter({ hasText: "Generate characters" }).first()).toBeVisible();
});

test("an embedded model forges three relics @long", async ({ page }) => {
  test.setTimeout(5 * 60_000);
  const stack = await Stack.start(null);
  try {
    await page.goto(stack.url);
    await page.getByRole("button", { name: "Forge three relics" }).click();
    await expect(page.getByRole("list", { name: "Relics" }).getByRole("listitem")).toHaveCount(3, {
      timeout: 4 * 60_000,
    });
  } finally {
    await stack.stop();
  }
});
