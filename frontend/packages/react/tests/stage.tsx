/** What tests of hooks share: a fresh cache, clocks that stand still, a page that can be hidden. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act } from "@testing-library/react";
import { type PropsWithChildren, StrictMode } from "react";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { type BrowserStorage, createJobsClient, type JobsClient, JobsProvider } from "../src/index.js";
import { FakeApi } from "./server.js";

export const REQUEST = { type: "generate_characters", payload: { theme: "fantasy", count: 3 } };

/** Start the scripted API for a file of tests; each test begins with an empty one. */
export function useApi(): { api: FakeApi } {
  const stage = { api: new FakeApi() };
  const { server } = stage.api;
  beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
  beforeEach(() => {
    const fresh = new FakeApi();
    server.resetHandlers(...fresh.server.listHandlers());
    stage.api = fresh;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
  });
  afterEach(() => {
    setHidden(false);
    setOnline(true);
  });
  afterAll(() => server.close());
  return stage;
}

/** Let time go by, with everything that happens in it. */
export async function pass(ms: number): Promise<void> {
  await act(async () => {
    for (let left = ms; left > 0; left -= 250) {
      await vi.advanceTimersByTimeAsync(Math.min(250, left));
      await settled();
    }
    for (let turn = 0; turn < 4; turn += 1) {
      await vi.advanceTimersByTimeAsync(1); // what the cache tells its observers with
      await settled();
    }
  });
}

/** Let answers arrive: they come through real turns of the event loop. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(0);
  }
}

export interface Stage {
  strict?: boolean;
  jobs?: JobsClient;
  owner?: string;
  storage?: BrowserStorage;
}

/** A page with a client of the scripted API; one with another query cache is a page after a reload. */
export function page(client = newClient(), { strict, jobs = createJobsClient(), ...session }: Stage = {}) {
  return ({ children }: PropsWithChildren) => {
    const provided = (
      <QueryClientProvider client={client}>
        <JobsProvider client={jobs} {...session}>
          {children}
        </JobsProvider>
      </QueryClientProvider>
    );
    return strict ? <StrictMode>{provided}</StrictMode> : provided;
  };
}

export const newClient = () => new QueryClient();

export function setHidden(hidden: boolean): void {
  const state = hidden ? "hidden" : "visible";
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
  document.dispatchEvent(new Event("visibilitychange"));
  window.dispatchEvent(new Event("visibilitychange"));
}

export function setOnline(online: boolean): void {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(online);
  window.dispatchEvent(new Event(online ? "online" : "offline"));
}
