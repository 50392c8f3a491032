import { defineConfig } from "@playwright/test";

/** Debian's Chromium; Playwright's own is not downloaded. */
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** E2E=long or E2E=shots run what is left out otherwise. */
const kinds: Record<string, RegExp> = { usual: /./, long: /@long/, shots: /@shots/ };

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  workers: 1,
  timeout: 90_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  forbidOnly: true,
  grep: kinds[process.env.E2E ?? "usual"] ?? /./,
  grepInvert: process.env.E2E ? [] : /@long|@shots/,
  use: {
    browserName: "chromium",
    headless: true,
    launchOptions: { executablePath: CHROMIUM, args: FLAGS },
    screenshot: "only-on-failure",
  },
});
