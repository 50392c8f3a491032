/** The page of a server that asks for keys: who enters, what they see, and what happens when a key ends. */
import type { Page } from "@playwright/test";
import { expect, FIXTURE_MS, Stack, test as base } from "./stack";

const test = base.extend<object, { stack: Stack; keys: Record<string, string> }>({
  stack: [
    async ({}, use) => {
      const stack = await Stack.start(undefined, { LORESMITH_AUTH: "keys" });
      await use(stack);
      await stack.stop();
    },
    { scope: "worker", timeout: FIXTURE_MS },
  ],
  keys: [
    async ({ stack }, use) => {
      const made = ["anna", "bert", "clara", "dora", "dora again", "root --admin"].map(async (whose) => {
        const [owner = "", ...rest] = whose.split(" ").filter((word) => word !== "again");
        return [whose, await stack.command("keys", "create", owner, ...rest)] as const;
      });
      await use(Object.fromEntries(await Promise.all(made)));
    },
    { scope: "worker", timeout: FIXTURE_MS },
  ],
});

// Making and revoking keys are programs of their own, which take their time on a busy machine.
test.describe.configure({ timeout: 180_000 });

const gate = (page: Page) => page.getByRole("dialog");
const cards = (page: Page) => page.getByRole("list", { name: "Relics" }).getByRole("listitem");

async function enter(page: Page, key: string, isKept = false): Promise<void> {
  await gate(page).getByLabel("Your key").fill(key);
  if (isKept) await gate(page).getByLabel("Remember it on this device").check();
  await gate(page).getByRole("button", { name: "Open" }).click();
}

async function goTo(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name, exact: true }).click();
}

test("a key opens the page, which then shows what is its owner's and nothing else", async ({
  page,
  keys,
}) => {
  const sent = new Set<string | undefined>();
  page.on("request", (request) => {
    if (request.url().endsWith("/events")) sent.add(request.headers().authorization);
  });
  await page.goto("/");
  await expect(gate(page)).toContainText("The forge is locked.");
  await enter(page, "ls_wrong");
  await expect(gate(page).getByRole("alert")).toContainText("not known here");
  await enter(page, keys.anna!);
  await expect(gate(page)).toHaveCount(0);

  await page.getByRole("button", { name: "Forge three relics" }).click();
  await expect(page.getByRole("region", { name: "Relics" }).getByRole("progressbar")).toBeVisible();
  await page.reload();
  await expect(cards(page)).toHaveCount(3);
  expect([...sent], "events come with the key").toEqual([`Bearer ${keys.anna}`]);
  await cards(page).first().getByRole("button").click();
  await page.getByRole("button", { name: "Write the world" }).click();
  await expect(page).toHaveURL(/\/story\//);
  await expect(page.getByRole("link", { name: "This world has a page of its own" })).toBeVisible();

  await goTo(page, "Forge");
  await page.getByRole("button", { name: "Forget key" }).click();
  await enter(page, keys.bert!);
  await expect(page.getByText("bert")).toBeVisible();
  await expect(page.getByRole("button", { name: "Forge three relics" })).toBeVisible();
  await expect(cards(page)).toHaveCount(0);
  await expect(
    page.getByRole("region", { name: "Your world so far" }).getByText("the model chooses"),
  ).toHaveCount(5);
  await goTo(page, "My worlds");
  await expect(page.getByText("No worlds yet")).toBeVisible();
  await goTo(page, "Jobs");
  await expect(page.getByText("No jobs yet")).toBeVisible();
  await expect(page.getByRole("complementary", { name: "Your jobs" })).toHaveCount(0);

  await page.getByRole("button", { name: "Forget key" }).click();
  await enter(page, keys["root --admin"]!);
  await expect(page.getByLabel("Whose jobs")).toContainText("Everybody’s");
  await expect(page.getByRole("row").filter({ hasText: "Generate relics" })).toHaveCount(1);
});

test("a key lasts as long as its tab, or is remembered for others", async ({ page, context, keys }) => {
  const key = keys.clara!;
  await page.goto("/");
  await enter(page, key);
  await expect(gate(page)).toHaveCount(0);
  const other = await context.newPage();
  await other.goto("/");
  await enter(other, key, true);
  await expect(gate(other)).toHaveCount(0);
  const third = await context.newPage();
  await third.goto("/");
  await expect(third.getByText("clara")).toBeVisible();
  await other.getByRole("button", { name: "Forget key" }).click();
  await expect(gate(third)).toBeVisible();
});

test("a key that is revoked is asked for again, and nothing that was written is lost", async ({
  page,
  stack,
  keys,
}) => {
  const key = keys.dora!;
  await page.goto("/submit/generate_characters");
  await enter(page, key);
  await page.getByLabel("Theme").fill("a city of clocks");
  await stack.command("keys", "revoke", key.slice(0, 11));
  await expect(gate(page)).toContainText("Your key has ended.");
  await enter(page, key);
  await expect(gate(page).getByRole("alert")).toContainText("not known here");
  await enter(page, keys["dora again"]!);
  await expect(gate(page)).toHaveCount(0);
  await expect(page.getByLabel("Theme")).toHaveValue("a city of clocks");
  await page.getByRole("button", { name: "Submit" }).click();
  await expect(page.getByRole("heading", { name: "Result" })).toBeVisible();
});
