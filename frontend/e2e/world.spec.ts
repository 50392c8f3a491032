import { expect, test } from "./stack";

interface Watched {
  counts: number[];
}

/** In the page: count the cards of characters at each change; what asks from outside is too slow on a busy machine. */
function watchCards(): void {
  const counts: number[] = [];
  Object.assign(globalThis, { counts });
  new MutationObserver(() => {
    counts.push(document.querySelectorAll('[aria-label="Characters"] > li:not([aria-hidden])').length);
  }).observe(document.body, { childList: true, subtree: true });
}

test("a world from nothing to saved, without reading a manual", async ({ page }) => {
  const refused: string[] = [];
  page.on("console", (message) => message.type() === "error" && refused.push(message.text()));
  await page.goto("/");
  await page.getByLabel("Steampunk").check();
  await page.evaluate(watchCards);
  await page.getByRole("button", { name: "Forge all five kinds" }).click();

  const cards = page.getByRole("list", { name: "Characters" }).getByRole("listitem");
  await expect(cards).toHaveCount(3);
  const counts = await page.evaluate(() => (globalThis as unknown as Watched).counts);
  expect(new Set(counts).size, "cards appear one by one").toBeGreaterThan(2);

  await expect(page.getByRole("button", { name: "Forge three others" })).toHaveCount(5);
  const kinds = ["Characters", "Factions", "Settings"];
  for (const kind of kinds)
    await page
      .getByRole("list", { name: kind })
      .getByRole("button", { name: /^Choose/ })
      .first()
      .click();
  const anvil = page.getByRole("region", { name: "Your world so far" });
  await expect(anvil.getByText("the model chooses")).toHaveCount(2);
  const hero = await page.getByRole("list", { name: "Characters" }).getByRole("heading").first().innerText();

  await anvil.getByRole("button", { name: "Write the world" }).click();
  await expect(page).toHaveURL(/\/story\//);
  await expect(page.getByRole("heading", { level: 3, name: hero })).toBeVisible();
  await expect(page.getByText("The story so far")).toBeVisible();
  await page.getByRole("link", { name: "This world has a page of its own" }).click();
  await expect(page).toHaveURL(/\/world\//);
  const title = await page.getByRole("heading", { level: 1 }).innerText();
  expect(await page.locator(".story p").count()).toBeGreaterThanOrEqual(5);

  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Markdown" }).click();
  expect((await download).suggestedFilename()).toMatch(/\.md$/);

  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "My worlds" }).click();
  await expect(page.getByRole("link", { name: title })).toBeVisible();
  expect(refused).toEqual([]);
});

test("a world is deleted, and that can be undone", async ({ page, request }) => {
  const body = { type: "create_world", payload: { user_id: "e2e", theme: "a drowned library" } };
  const answer = await request.post("/jobs", { data: body, headers: { Prefer: "wait=30" } });
  const { title } = ((await answer.json()) as { result: { title: string } }).result;
  await page.goto("/my-worlds");
  await page.getByLabel("Search").fill("drowned");
  const shelf = page.getByRole("listitem").filter({ hasText: title });
  await shelf.getByRole("button", { name: `Delete ${title}` }).click();
  await expect(shelf).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(shelf).toHaveCount(1);
  await shelf.getByRole("button", { name: `Delete ${title}` }).click();
  await expect(page.getByRole("status").getByText("is deleted")).toBeVisible();
  await page.goto("/my-worlds");
  await expect(page.getByText(title)).toHaveCount(0);
});
