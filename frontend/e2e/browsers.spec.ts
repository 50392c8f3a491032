/** Browsers as people have them: storage blocked, null or full, no storage events, text replaced by a translator. */
import type { Page } from "@playwright/test";
import { expect, test } from "./stack";

const cards = (page: Page) => page.getByRole("list", { name: "Relics" }).getByRole("listitem");
const forge = (page: Page) => page.getByRole("button", { name: "Forge three relics" }).click();
const NOTE = "This browser keeps nothing for this page";

/** Run in the page before its own scripts. */
const BROWSERS: Record<string, () => void> = {
  blocked: () => {
    for (const name of ["localStorage", "sessionStorage"])
      Object.defineProperty(window, name, {
        get: () => {
          throw new DOMException("blocked", "SecurityError");
        },
      });
  },
  null: () => {
    for (const name of ["localStorage", "sessionStorage"])
      Object.defineProperty(window, name, { get: () => null });
  },
  full: () => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  },
};

for (const [name, script] of Object.entries(BROWSERS))
  test(`where storage is ${name} the page works, and says so once`, async ({ page }) => {
    await page.addInitScript(script);
    await page.goto("/");
    await forge(page);
    await expect(page.getByText(NOTE)).toHaveCount(1);
    await expect(cards(page)).toHaveCount(3);
    await page.getByRole("link", { name: "Jobs", exact: true }).click();
    await expect(page.getByRole("heading", { name: "Jobs", exact: true })).toBeVisible();
    await page.getByRole("link", { name: "Forge", exact: true }).click();
    await expect(cards(page)).toHaveCount(3);
  });

test("a page whose text is replaced by a translator goes on, without storage events", async ({ page }) => {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.addInitScript(() => {
    addEventListener("storage", (event) => event.stopImmediatePropagation(), true);
    const translate = () => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const texts: Text[] = [];
      while (walker.nextNode()) texts.push(walker.currentNode as Text);
      for (const text of texts) {
        if (text.parentElement?.closest("font, script, style, [translate=no]")) continue;
        const font = document.createElement("font" as string);
        text.replaceWith(font);
        font.append(text.data);
      }
    };
    addEventListener("DOMContentLoaded", () => setInterval(translate, 50));
  });
  await page.goto("/");
  await forge(page);
  const percent = page.getByRole("region", { name: "Relics" }).locator(".ls-figures b");
  await expect(percent).not.toHaveText("0 %");
  await expect(cards(page)).toHaveCount(3);
  await page.getByRole("link", { name: "Jobs", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Jobs" })).toBeVisible();
  await page.getByRole("link", { name: "Forge", exact: true }).click();
  await expect(cards(page)).toHaveCount(3);
  expect(errors).toEqual([]);
});
