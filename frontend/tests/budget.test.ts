// @vitest-environment node
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, type Plugin, type Rolldown } from "vite";
import { expect, it } from "vitest";

process.env.NODE_ENV = "production"; // else React comes with what helps developers
const KB = 1_000;
const root = fileURLToPath(new URL("..", import.meta.url));
type Chunk = Rolldown.OutputChunk;

async function chunks(options: object): Promise<Chunk[]> {
  const built = await build({ root, logLevel: "silent", mode: "production", ...options });
  const { output } = (Array.isArray(built) ? built[0] : built) as Rolldown.RolldownOutput;
  return output.filter((each): each is Chunk => each.type === "chunk");
}

const sizeOf = (some: readonly Chunk[]) => some.reduce((sum, { code }) => sum + gzipSync(code).length, 0);

it("the first load is under 200 KB of script, gzipped", { timeout: 60_000 }, async () => {
  const all = await chunks({ build: { write: false } });
  const named = new Map(all.map((chunk) => [chunk.fileName, chunk]));
  const wanted = new Set(all.filter(({ isEntry }) => isEntry));
  for (const chunk of wanted) chunk.imports.forEach((name) => wanted.add(named.get(name)!));
  const size = sizeOf([...wanted]);
  console.log(`first load: ${(size / KB).toFixed(1)} KB of script, gzipped`);
  expect(size).toBeGreaterThan(50 * KB);
  expect(size).toBeLessThan(200 * KB);
});

it("the hooks are under 8 KB, gzipped, without React and TanStack Query", { timeout: 60_000 }, async () => {
  const names = Object.keys(await import("../packages/react/src/hooks"));
  expect(names).toContain("useJob");
  const hooks = await chunks({
    configFile: false,
    publicDir: false,
    plugins: [appThatUses(names)],
    build: {
      write: false,
      rolldownOptions: {
        input: "app-of-hooks",
        external: [/^react/, /^@tanstack/],
        output: { format: "es" },
      },
    },
  });
  const size = sizeOf(hooks);
  console.log(`hooks: ${(size / KB).toFixed(2)} KB, gzipped`);
  expect(size).toBeGreaterThan(2 * KB);
  expect(size).toBeLessThan(8 * KB);
});

/** An app that uses everything but the components, so that nothing of it is left out of the bundle. */
const appThatUses = (names: readonly string[]): Plugin => ({
  name: "app-of-hooks",
  resolveId: (id) => (id === "app-of-hooks" ? id : null),
  load: (id) =>
    id === "app-of-hooks"
      ? `import { ${names.join()} } from "${root}/packages/react/src/hooks.ts"; globalThis.used = [${names.join()}];`
      : null,
});
