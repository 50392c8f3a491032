/** The package as it is published: packed, installed into fresh apps, type-checked, built and used in Chromium. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, type Page, test } from "@playwright/test";
import { FIXTURE_MS, freePort, Stack } from "./stack";

const CREATE_VITE = "create-vite@9.3.0";
const CREATE_NEXT = "create-next-app@16.4.3";
const QUERY = "@tanstack/react-query@5.108.0";
const FRONTEND = fileURLToPath(new URL("..", import.meta.url));
const BUILD_MS = 600_000;

const exec = promisify(execFile);
const quiet = {
  ...process.env,
  NEXT_TELEMETRY_DISABLED: "1",
  npm_config_audit: "false",
  npm_config_fund: "false",
};

/** Run a program; its output is in the error when it fails. */
async function run(cwd: string, program: string, ...words: string[]): Promise<string> {
  const { stdout } = await exec(program, words, { cwd, env: quiet, maxBuffer: 64e6 });
  return stdout.trim();
}

let dir: string;
let tarball: string;
let stack: Stack;
const ports = { vite: 0, next: 0 };
const servers: ChildProcess[] = [];
const origin = (port: number) => `http://127.0.0.1:${port}`;

test.describe.configure({ mode: "serial" });

test.beforeAll(async () => {
  test.setTimeout(FIXTURE_MS);
  for (const name of ["vite", "next"] as const) ports[name] = await freePort();
  dir = await mkdtemp(join(tmpdir(), "ls-packed-"));
  const packed = await run(
    FRONTEND,
    "npm",
    "pack",
    "--silent",
    "-w",
    "@loresmith/react",
    "--pack-destination",
    dir,
  );
  tarball = join(dir, packed.split("\n").at(-1) ?? "");
  const allowed = [ports.vite, ports.next].map(origin).join();
  stack = await Stack.start(undefined, { LORESMITH_CORS_ORIGINS: allowed });
});

test.afterAll(async () => {
  servers.forEach((server) => server.kill());
  await stack.stop();
  await rm(dir, { recursive: true, force: true });
});

function serve(cwd: string, ...words: string[]): void {
  servers.push(spawn(process.execPath, words, { cwd, env: quiet, stdio: "inherit" }));
}

/** Open a page as soon as its server answers. */
async function open(page: Page, url: string): Promise<string[]> {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await expect(async () => {
    await page.goto(url);
  }).toPass({ timeout: 180_000 });
  return complaints;
}

async function forge(page: Page): Promise<string> {
  await page.getByRole("button", { name: "Forge" }).click();
  await expect(page.getByRole("progressbar")).toBeVisible();
  await expect(page.locator("output")).not.toBeEmpty();
  await expect(page.getByRole("listitem")).toHaveCount(3);
  await page.reload();
  await expect(page.getByRole("listitem")).toHaveCount(3);
  await expect(page.getByText("1 read")).toBeVisible();
  return page.locator("output").innerText();
}

const client = () => `createJobsClient({ baseUrl: ${JSON.stringify(stack.url)}, name: "lore" })`;

test("in a fresh Vite app, with React 19 and 18 @long", async ({ page }) => {
  test.setTimeout(BUILD_MS);
  const app = join(dir, "vite");
  await run(dir, "npx", "--yes", CREATE_VITE, "vite", "--template", "react-ts", "--no-interactive");
  await copyFile(join(FRONTEND, "e2e/packed/Demo.tsx"), join(app, "src/Demo.tsx"));
  await writeFile(
    join(app, "src/main.tsx"),
    `import { createJobsClient, JobsProvider } from "@loresmith/react";
import "@loresmith/react/styles.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Relics } from "./Demo.tsx";

const queries = new QueryClient();
const jobs = ${client()};

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <JobsProvider client={jobs}>
        <Relics />
      </JobsProvider>
    </QueryClientProvider>
  </StrictMode>,
);
`,
  );
  await run(app, "npm", "install", tarball, QUERY);
  await run(app, "npm", "run", "build");
  const vite = "node_modules/vite/bin/vite.js";
  serve(app, vite, "preview", "--host", "127.0.0.1", "--strictPort", "--port", String(ports.vite));
  const complaints = await open(page, origin(ports.vite));
  await forge(page);
  expect(complaints).toEqual([]);

  const stranger = `http://localhost:${ports.vite}`; // another origin than that of the address
  await open(page, stranger);
  await page.getByRole("button", { name: "Forge" }).click();
  await expect(page.getByRole("alert")).toContainText(`set LORESMITH_CORS_ORIGINS=${stranger} there`);

  await run(app, "npm", "install", "react@18", "react-dom@18", "@types/react@18", "@types/react-dom@18");
  await run(app, "npm", "run", "build");
  const complaintsOf18 = await open(await page.context().newPage(), origin(ports.vite));
  expect(complaintsOf18).toEqual([]);
  await page.goto(origin(ports.vite));
  await forge(page);
});

test("in a fresh Next.js app, rendered on the server @long", async ({ page }) => {
  test.setTimeout(BUILD_MS);
  const app = join(dir, "next");
  const flags =
    "--ts --app --no-eslint --no-tailwind --no-src-dir --use-npm --skip-install --disable-git --yes";
  await run(dir, "npx", "--yes", CREATE_NEXT, "next", ...flags.split(" "));
  await copyFile(join(FRONTEND, "e2e/packed/Demo.tsx"), join(app, "app/Demo.tsx"));
  await mkdir(join(app, "app/jobs/[id]"), { recursive: true });
  const files = {
    "app/providers.tsx": `"use client";
import { createJobsClient, JobsProvider } from "@loresmith/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

const jobs = ${client()};

export function Providers({ children }: { children: ReactNode }) {
  const [queries] = useState(() => new QueryClient());
  return (
    <QueryClientProvider client={queries}>
      <JobsProvider client={jobs}>{children}</JobsProvider>
    </QueryClientProvider>
  );
}
`,
    "app/layout.tsx": `import "@loresmith/react/styles.css";
import type { ReactNode } from "react";
import { Providers } from "./providers";

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <Providers>{children}</Providers>
      </body>
    </html>
  );
}
`,
    "app/page.tsx": `import { Relics } from "./Demo";

export default function Page() {
  return <Relics />;
}
`,
    "app/jobs/[id]/page.tsx": `import { createJobsClient, jobQueryOptions } from "@loresmith/react";
import { dehydrate, HydrationBoundary, QueryClient } from "@tanstack/react-query";
import { Suspense } from "react";
import { Status } from "../../Demo";

const jobs = ${client()};

async function Known({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const queries = new QueryClient();
  await queries.prefetchQuery(jobQueryOptions(jobs, id));
  return (
    <HydrationBoundary state={dehydrate(queries)}>
      <Status id={id} />
    </HydrationBoundary>
  );
}

export default function Page({ params }: { params: Promise<{ id: string }> }) {
  return (
    <Suspense fallback={<p>Loading…</p>}>
      <Known params={params} />
    </Suspense>
  );
}
`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(app, name), text);
  await run(app, "npm", "install", tarball, QUERY);
  await run(app, "npm", "run", "build");
  serve(app, "node_modules/next/dist/bin/next", "start", "-H", "127.0.0.1", "-p", String(ports.next));
  const complaints = await open(page, origin(ports.next));
  const id = await forge(page);
  const rendered = await (await fetch(`${origin(ports.next)}/jobs/${id}`)).text();
  expect(rendered).toContain("generate_relics: completed");
  await page.goto(`${origin(ports.next)}/jobs/${id}`);
  await expect(page.getByRole("heading", { name: "generate_relics: completed" })).toBeVisible();
  expect(complaints).toEqual([]);
});
