import { act, render, renderHook, screen } from "@testing-library/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { hydrateRoot } from "react-dom/client";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import {
  createJobsClient,
  JobProgressSpinner,
  JobsProvider,
  jobQueryOptions,
  useActiveJobs,
  useJob,
  useJobs,
  useJobStatus,
} from "../src/index.js";
import { newClient, page, pass, settled, useApi } from "./stage.js";
import { started } from "./started.js";

const stage = useApi();

interface Relic {
  name: string;
}

describe("useJob", () => {
  it("submits payloads of its type, and calls back once, in StrictMode, too", async () => {
    const [onSuccess, onError] = [vi.fn(), vi.fn()];
    const use = () => useJob<Relic[]>({ type: "generate_relics", key: "relics", onSuccess, onError });
    const { result } = renderHook(use, { wrapper: page(newClient(), { strict: true }) });
    await act(async () => {
      void result.current.submit({ theme: "fantasy" }, { tags: ["x"] });
      await settled();
    });
    expect(result.current).toMatchObject({ isPolling: true, job: { type: "generate_relics" } });
    expect(stage.api.bodies).toEqual([
      { type: "generate_relics", payload: { theme: "fantasy" }, tags: ["x"] },
    ]);
    stage.api.complete(result.current.job!.id, [{ name: "Horn" }]);
    await pass(6_000);
    expect(onSuccess).toHaveBeenCalledExactlyOnceWith([{ name: "Horn" }]);
    expect(result.current).toMatchObject({
      isCompleted: true,
      result: [{ name: "Horn" }],
      items: [{ name: "Horn" }],
    });
    expect(onError).not.toHaveBeenCalled();
  });

  it("has typed items, payloads and results", () => {
    expectTypeOf(useJob<Relic[]>)
      .returns.toHaveProperty("items")
      .toEqualTypeOf<Relic[]>();
    expectTypeOf(useJob<{ title: string }, Relic>)
      .returns.toHaveProperty("items")
      .toEqualTypeOf<Relic[]>();
    expectTypeOf(useJob<Relic[]>)
      .returns.toHaveProperty("result")
      .toEqualTypeOf<Relic[] | undefined>();
    expectTypeOf(useJob<Relic[], Relic, { theme: string }>)
      .returns.toHaveProperty("submit")
      .parameter(0)
      .toEqualTypeOf<{ theme: string }>();
    expectTypeOf(useJobStatus<Relic[]>)
      .returns.toHaveProperty("items")
      .toEqualTypeOf<Relic[]>();
  });

  it("uses the new token of a new client at once, and keeps its job", async () => {
    const queries = newClient();
    const tree = (token: string) => (
      <QueryClientProvider client={queries}>
        <JobsProvider client={createJobsClient({ token })}>
          <Relics />
        </JobsProvider>
      </QueryClientProvider>
    );
    const Relics = () => {
      const { submit, job } = useJob({ type: "generate_relics", key: "relics" });
      return <button onClick={() => void submit({})}>{job?.id ?? "none"}</button>;
    };
    const { rerender } = render(tree("one"));
    await act(async () => {
      screen.getByRole("button").click();
      await settled();
    });
    const text = screen.getByRole("button").textContent;
    rerender(tree("two"));
    expect(screen.getByRole("button").textContent).toBe(text);
    await pass(3_100);
    expect(new Set(stage.api.tokens)).toEqual(new Set(["Bearer one", "Bearer two"]));
    expect(stage.api.tokens.at(-1)).toBe("Bearer two");
  });

  it("outside of a provider says which one is missing", () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const wrapper = ({ children }: { children?: React.ReactNode }) => (
      <QueryClientProvider client={newClient()}>{children}</QueryClientProvider>
    );
    expect(() => renderHook(() => useJobStatus("1"), { wrapper })).toThrow(
      "no jobs client: wrap the component in <JobsProvider client={…}>",
    );
  });
});

describe("a server that refuses the page's origin", () => {
  const jobs = createJobsClient({ baseUrl: "http://lore.test" });
  /** What a page sees of it: requests fail but for those that no script may read. */
  const refuse = (isDown: boolean) =>
    vi
      .spyOn(globalThis, "fetch")
      .mockImplementation((_, options) =>
        options?.mode === "no-cors" && !isDown
          ? Promise.resolve(Response.error())
          : Promise.reject(new TypeError("Failed to fetch")),
      );

  it("is named at once, with the setting that helps, and asked no more", async () => {
    const sent = refuse(false);
    const { result } = renderHook(() => [useJob({ type: "t" }), useJobStatus("1")] as const, {
      wrapper: page(newClient(), { jobs }),
    });
    await act(async () => {
      void result.current[0].submit({}).catch(() => {});
      await settled();
    });
    await pass(60_000);
    const refusal = {
      code: "origin_refused",
      message:
        "http://lore.test refuses pages of http://loresmith.test: set LORESMITH_CORS_ORIGINS=http://loresmith.test there",
    };
    expect(result.current[0].submitError).toMatchObject(refusal);
    expect(result.current[1].connectionError).toMatchObject(refusal);
    expect(sent).toHaveBeenCalledTimes(4);
  });

  it("is told from one that is down", async () => {
    refuse(true);
    await expect(jobs.get("1")).rejects.toMatchObject({
      code: "network",
      message: "The server at http://lore.test cannot be reached",
    });
  });
});

describe("a page that a server has rendered", () => {
  function Page() {
    const { job, items } = useJob({ type: "generate_characters", key: "forge" });
    const active = useActiveJobs().jobs.length;
    const { jobs } = useJobs(["00000000-0000-4000-8000-000000000001"]);
    return (
      <main>
        {active} active, {items.length} items, {jobs.length} read <JobProgressSpinner job={job} />
      </main>
    );
  }

  it("is hydrated without a warning, though the browser knows of a job, and then shows it", async () => {
    const { id, unmount } = await started("forge");
    unmount();
    const jobs = createJobsClient();
    const tree = (queries: QueryClient) => (
      <StrictMode>
        <QueryClientProvider client={queries}>
          <JobsProvider client={jobs}>
            <Page />
          </JobsProvider>
        </QueryClientProvider>
      </StrictMode>
    );
    const prefetched = async () => {
      const queries = newClient();
      await Promise.all([queries.query(jobQueryOptions(jobs, id)), settled()]);
      return queries;
    };
    const root = document.createElement("div");
    root.innerHTML = renderToString(tree(await prefetched()));
    expect(root.textContent).toBe("0 active, 0 items, 1 read ");
    const error = vi.spyOn(console, "error");
    const queries = await prefetched();
    const hydrated = await act(() => hydrateRoot(root, tree(queries), { onRecoverableError: error }));
    await pass(100);
    expect(root.textContent).toContain("1 active, 0 items, 1 read ");
    expect(root.querySelector("[role=progressbar]")).not.toBeNull();
    expect(error).not.toHaveBeenCalled();
    act(() => hydrated.unmount());
  });
});
