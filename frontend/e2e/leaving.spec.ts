import { expect, Stack, test } from "./stack";
import type { Page } from "@playwright/test";

const relics = (page: Page) => page.getByRole("region", { name: "Relics" });
const cards = (page: Page) => page.getByRole("list", { name: "Relics" }).getByRole("listitem");
const forge = (page: Page) => relics(page).getByRole("button", { name: "Forge three relics" }).click();

async function jobs(page: Page): Promise<string[]> {
  const { data } = (await (await page.request.get("/jobs?limit=100&status=processing")).json()) as {
    data: { id: string }[];
  };
  return data.map(({ id }) => id);
}

test("a reload in the middle loses nothing and submits nothing", async ({ page }) => {
  await page.goto("/");
  await forge(page);
  await expect(relics(page).getByRole("progressbar")).toBeVisible();
  const before = await jobs(page);
  await page.reload();
  await expect(cards(page)).toHaveCount(3);
  expect(before.length).toBeLessThanOrEqual(1);
  expect(
    await page.evaluate(
      () => Object.keys(localStorage).filter((name) => name.startsWith("loresmith.job:")).length,
    ),
  ).toBe(1);
});

test("a reload while the submit is under way makes one job", async ({ page }) => {
  await page.goto("/");
  const posted: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST") posted.push(request.headers()["idempotency-key"] ?? "");
  });
  await page.route("**/jobs", async (route) => {
    if (route.request().method() !== "POST" || posted.length > 1) return route.continue();
    await route.fetch();
    return new Promise<void>(() => {});
  });
  await forge(page);
  await expect.poll(() => posted.length).toBe(1);
  await page.reload();
  await expect(cards(page)).toHaveCount(3);
  expect(posted).toHaveLength(2);
  expect(new Set(posted).size).toBe(1);
});

test("who leaves finds the job in the tray, and its cards on coming back", async ({ page }) => {
  await page.goto("/");
  await forge(page);
  await expect(relics(page).getByRole("progressbar")).toBeVisible();
  await page.getByRole("link", { name: "My worlds" }).click();
  const tray = page.getByRole("complementary", { name: "Your jobs" });
  await tray.getByRole("button").first().click();
  await expect(tray.getByRole("progressbar", { name: "Generate relics" })).toBeVisible();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Forge" }).click();
  await expect(cards(page)).toHaveCount(3);
});

test("a job that is stopped says so, and can go on", async ({ page, request }) => {
  // The one place that the model has is taken, so that the job cannot end before it is stopped.
  const others = Array.from({ length: 3 }, () => ({
    type: "generate_characters",
    payload: { theme: "fantasy", count: 10 },
  }));
  const batch = await request.post("/jobs/batch", { data: { jobs: others } });
  const { jobs: ahead } = (await batch.json()) as { jobs: { id: string }[] };
  await page.goto("/");
  await forge(page);
  await relics(page).getByRole("button", { name: "Stop" }).click();
  await expect(relics(page).getByRole("alert")).toContainText("You stopped this");
  await Promise.all(ahead.map(({ id }) => request.post(`/jobs/${id}/cancel`)));
  await relics(page)
    .getByRole("button", { name: /Try again|Go on from there/ })
    .click();
  await expect(cards(page)).toHaveCount(3);
});

test("two tabs show one job, and both see it end", async ({ page, context }) => {
  await page.goto("/");
  const other = await context.newPage();
  await other.goto("/");
  await forge(page);
  await expect(relics(other).getByRole("progressbar")).toBeVisible();
  await expect(cards(page)).toHaveCount(3);
  await expect(cards(other)).toHaveCount(3);
});

test("a page that is offline says so, and goes on by itself when it is back", async ({ page, context }) => {
  await page.goto("/");
  await forge(page);
  await expect(relics(page).getByRole("progressbar")).toBeVisible();
  await context.setOffline(true);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 3_500)));
  await expect(relics(page).getByRole("alert")).toHaveCount(0);
  await context.setOffline(false);
  await expect(cards(page)).toHaveCount(3);
});

test("a server that is killed in the middle and comes back ends the job all the same", async ({ page }) => {
  test.setTimeout(6 * 60_000); // it starts LoreSmith twice
  const stack = await Stack.start("fake?seconds=2&tokens=20&seed=3");
  try {
    await page.goto(stack.url);
    await forge(page);
    await expect(relics(page).getByRole("progressbar")).toBeVisible();
    await stack.down("SIGKILL");
    await expect(page.getByText("LoreSmith does not answer at the moment.")).toBeVisible({ timeout: 25_000 });
    await stack.up();
    await expect(cards(page)).toHaveCount(3, { timeout: 30_000 });
    await expect(relics(page).getByRole("alert")).toHaveCount(0);
  } finally {
    await stack.stop();
  }
});
