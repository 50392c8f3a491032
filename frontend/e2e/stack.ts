/** A whole LoreSmith, started for the tests: API, worker, lore service, Redis, database, and a scripted model. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { test as base } from "@playwright/test";

const PROGRAM = fileURLToPath(new URL("../../.venv/bin/loresmith", import.meta.url));
const run = promisify(execFile);
/** On a busy machine; the fixtures of tests wait longer. */
const START_MS = 180_000;
export const FIXTURE_MS = START_MS + 20_000;
/** One call at a time, a fifth of a second each: cards appear one by one. */
const FAKE = "fake?seconds=0.2&tokens=20&seed=7&slots=1";

export class Stack {
  private child: ChildProcess | undefined;
  private readonly dir: string;
  private readonly port: number;
  private readonly model: string | null;
  private readonly settings: Readonly<Record<string, string>>;

  private constructor(
    dir: string,
    port: number,
    model: string | null,
    settings: Readonly<Record<string, string>>,
  ) {
    this.dir = dir;
    this.port = port;
    this.model = model;
    this.settings = settings;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  static async start(
    model: string | null = FAKE,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<Stack> {
    const stack = new Stack(await mkdtemp(join(tmpdir(), "ls-")), await freePort(), model, settings);
    await stack.up();
    return stack;
  }

  async up(): Promise<void> {
    this.child = spawn(PROGRAM, ["run"], {
      cwd: this.dir,
      env: this.env(),
      stdio: ["ignore", "inherit", "inherit"],
    });
    const ends = Date.now() + START_MS;
    while (!(await this.isReady())) {
      if (Date.now() > ends || this.child.exitCode !== null) {
        await this.down("SIGKILL");
        throw new Error("loresmith run did not become ready");
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  private env(): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("LORESMITH_"));
    return {
      ...Object.fromEntries(kept),
      ...this.settings,
      LORESMITH_DATA_DIR: join(this.dir, "data"),
      LORESMITH_PORT: String(this.port),
      ...(this.model === null ? {} : { LORESMITH_MODEL: this.model }),
    };
  }

  /** Run `loresmith` beside it, with the same data; returns what it printed. */
  async command(...words: string[]): Promise<string> {
    const { stdout } = await run(PROGRAM, words, { cwd: this.dir, env: this.env() });
    return stdout.trim();
  }

  private async isReady(): Promise<boolean> {
    return fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(5_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  async down(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  async stop(): Promise<void> {
    await this.down();
    await rm(this.dir, { recursive: true, force: true });
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Tests with one stack for all of them; each has a browser context of its own. */
export const test = base.extend<{ baseURL: string }, { stack: Stack }>({
  stack: [
    async ({}, use) => {
      const stack = await Stack.start();
      await use(stack);
      await stack.stop();
    },
    { scope: "worker", timeout: FIXTURE_MS },
  ],
  baseURL: async ({ stack }, use) => use(stack.url),
});
export { expect } from "@playwright/test";
