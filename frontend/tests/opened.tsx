/** What tests of pages share: the whole app at a path, with an API that answers as they say. */
import type { Job } from "@loresmith/react";
import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import axe from "axe-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import { App } from "@/app/App";
import { forgetKey, installAccess } from "@/app/access";
import { client } from "@/app/queries";
import { answers, server } from "./pages.server";

export const ID = "00000000-0000-4000-8000-000000000001";
const usual = client.getDefaultOptions();

/** Start the API for a file of tests; each test begins with an empty one, and with nobody's key. */
export function useApp(): void {
  beforeAll(() => {
    server.listen();
    installAccess();
  });
  beforeEach(() => {
    vi.spyOn(window, "scrollTo").mockImplementation(() => {});
    client.setDefaultOptions({ ...usual, queries: { ...usual.queries, retryDelay: 1 } });
  });
  afterEach(() => {
    answers.clear();
    forgetKey();
    client.clear();
  });
  afterAll(() => server.close());
}

export function open(path: string) {
  history.replaceState(null, "", path);
  return render(
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>,
  );
}

export async function expectAccessible() {
  const { violations } = await axe.run(document.body);
  expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
}

export const job = (changes: Partial<Job> = {}): Job => ({
  id: ID,
  type: "generate_characters",
  status: "processing",
  state: "running",
  done: false,
  seq: 2,
  progress: 30,
  message: "Generating characters...",
  result: null,
  items: [],
  created_at: new Date(Date.now() - 1_000).toISOString(),
  started_at: new Date(Date.now() - 1_000).toISOString(),
  ...changes,
});
