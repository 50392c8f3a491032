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

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  workers: 1,
  timeout: 40_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  forbidOnly: true,
  grepInvert: process.env.LONG ? undefined! : /@long|@shots/,
  use: {
    browserName: "chromium",
    headless: true,
    launchOptions: { executablePath: CHROMIUM, args: FLAGS },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
  },
});
