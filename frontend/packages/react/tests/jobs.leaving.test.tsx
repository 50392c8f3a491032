import { act, renderHook } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { useActiveJobs, useJobPolling, useOwnJobIds, useSubmitJob } from "../src/index.js";
import { newClient, page, pass, REQUEST, settled, useApi } from "./stage.js";
import { started } from "./started.js";

const stage = useApi();

/** A reload, as the hooks see it: an empty cache, but the storage of before. */
async function reloaded(key?: string) {
  const onComplete = vi.fn();
  const view = renderHook(() => useJobPolling(onComplete, undefined, key === undefined ? {} : { key }), {
    wrapper: page(),
  });
  await pass(10);
  return { onComplete, hook: () => view.result.current };
}

describe("leaving", () => {
  it("and coming back finds the job again, and its end is told", async () => {
    const { unmount, id, client, onComplete } = await started();
    unmount();
    await pass(10_000);
    const again = vi.fn();
    const { result } = renderHook(() => useJobPolling(again), { wrapper: page(client) });
    await pass(100);
    expect(result.current).toMatchObject({ isPolling: true, job: { id } });
    stage.api.complete(id);
    await pass(3_000);
    expect(again).toHaveBeenCalledOnce();
    expect(onComplete).not.toHaveBeenCalled();
    expect(stage.api.submits).toHaveLength(1);
  });

  it("while the submit is under way loses nothing", async () => {
    let answer = () => {};
    stage.api.beforeAnswer = () => new Promise((resolve) => (answer = resolve));
    const client = newClient();
    const first = renderHook(() => useJobPolling(), { wrapper: page(client) });
    await act(async () => {
      void first.result.current.submit(REQUEST);
      await settled();
    });
    first.unmount();
    const { result } = renderHook(() => useJobPolling(), { wrapper: page(client) });
    answer();
    await pass(100);
    expect(result.current.isPolling).toBe(true);
    expect(stage.api.jobs.size).toBe(1);
  });

  it("a page with two hooks brings each its own job back", async () => {
    const use = () => [useJobPolling(), useJobPolling()] as const;
    const client = newClient();
    const first = renderHook(use, { wrapper: page(client) });
    await act(async () => {
      void first.result.current[0].submit({ ...REQUEST, type: "generate_relics" });
      void first.result.current[1].submit({ ...REQUEST, type: "generate_events" });
      await settled();
    });
    first.unmount();
    const { result } = renderHook(use, { wrapper: page(client, { strict: true }) });
    await pass(100);
    expect(result.current.map(({ job }) => job?.type)).toEqual(["generate_relics", "generate_events"]);
  });
});

describe("a reload", () => {
  it("finds a running job again", async () => {
    const { id, unmount } = await started("forge");
    unmount();
    const { hook, onComplete } = await reloaded("forge");
    expect(hook().job?.id).toBe(id);
    stage.api.complete(id);
    await pass(3_000);
    expect(onComplete).toHaveBeenCalledOnce();
  });

  it("finds a job that ended meanwhile, and tells its end", async () => {
    const { id, unmount } = await started();
    unmount();
    stage.api.complete(id);
    const { hook, onComplete } = await reloaded();
    expect(hook().isCompleted).toBe(true);
    expect(onComplete).toHaveBeenCalledExactlyOnceWith([{ name: "Ada" }]);
  });

  it("in the middle of a submit makes no second job", async () => {
    stage.api.beforeAnswer = () => new Promise(() => {});
    const first = renderHook(() => useJobPolling(undefined, undefined, { key: "cut off" }), {
      wrapper: page(),
    });
    await act(async () => {
      void first.result.current.submit(REQUEST);
      await settled();
    });
    expect(stage.api.jobs.size).toBe(1);
    first.unmount();
    stage.api.beforeAnswer = () => Promise.resolve();
    const { hook } = await reloaded("cut off");
    expect(hook()).toMatchObject({ isPolling: true, job: { type: "generate_characters" } });
    expect(stage.api.submits).toHaveLength(2);
    expect(stage.api.jobs.size).toBe(1);
  });

  it("followed by the same submit while the job runs makes no second job", async () => {
    const { id, unmount } = await started("forge");
    unmount();
    const { hook } = await reloaded("forge");
    await act(async () => {
      const sent = hook().submit(REQUEST);
      await settled();
      expect((await sent).id).toBe(id);
    });
    expect(stage.api.submits).toHaveLength(1);
  });
});

describe("a page that is closed", () => {
  it("loses nothing: one that is opened later finds the job, and tells its end", async () => {
    const { id, unmount } = await started("forge");
    unmount();
    sessionStorage.clear(); // it is as old as its tab
    stage.api.complete(id);
    const { hook, onComplete } = await reloaded("forge");
    expect(hook().job?.id).toBe(id);
    expect(onComplete).toHaveBeenCalledExactlyOnceWith([{ name: "Ada" }]);
    expect(stage.api.submits).toHaveLength(1);
  });
});

const textOf = (store: Storage) =>
  Array.from({ length: store.length }, (_, at) => store.getItem(store.key(at)!)).join();

describe("what is kept in the browser", () => {
  it("has no payload in it, neither while a submit is under way nor after", async () => {
    let meanwhile = "";
    stage.api.beforeAnswer = () => {
      meanwhile = textOf(localStorage);
      return Promise.resolve();
    };
    await started();
    expect(meanwhile).toContain("generate_characters");
    expect(meanwhile).not.toContain("fantasy");
    expect(textOf(localStorage)).not.toContain("fantasy");
    expect(textOf(sessionStorage)).not.toContain("fantasy");
  });

  it("is not needed: without storage jobs are followed as long as the page is there", async () => {
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const { result } = renderHook(() => useJobPolling(), { wrapper: page() });
    await act(async () => {
      void result.current.submit(REQUEST);
      await settled();
    });
    expect(result.current.isPolling).toBe(true);
  });
});

describe("a double click", () => {
  it("makes one job", async () => {
    const { result } = renderHook(() => useJobPolling(), { wrapper: page() });
    await act(async () => {
      const [one, other] = [result.current.submit(REQUEST), result.current.submit({ ...REQUEST })];
      await settled();
      expect((await one).id).toBe((await other).id);
    });
    expect(stage.api.submits).toHaveLength(1);
  });

  it("whose second half comes after the answer makes one job, too", async () => {
    const { hook, id } = await started();
    await act(async () => {
      const second = hook().submit(REQUEST);
      await settled();
      expect((await second).id).toBe(id);
    });
    expect(stage.api.submits).toHaveLength(1);
  });

  it("on useSubmitJob makes one job", async () => {
    const { result } = renderHook(() => useSubmitJob(), { wrapper: page() });
    await act(async () => {
      void result.current.submit(REQUEST);
      void result.current.submit(REQUEST);
      await settled();
    });
    expect(stage.api.submits).toHaveLength(1);
  });

  it("is no hindrance to another job once the first has ended", async () => {
    const { hook, id } = await started();
    stage.api.complete(id);
    await pass(3_000);
    await act(async () => {
      void hook().submit(REQUEST);
      await settled();
    });
    expect(hook().job?.id).not.toBe(id);
  });
});

describe("a submit without an answer", () => {
  it("is sent again with the same key, and makes one job", async () => {
    const { result } = renderHook(() => useJobPolling(), { wrapper: page() });
    stage.api.mode = "down";
    act(() => void result.current.submit(REQUEST).catch(() => {}));
    await pass(500);
    stage.api.mode = "up";
    await pass(3_000);
    expect(result.current.isPolling).toBe(true);
    expect(stage.api.submits.length).toBeGreaterThan(1);
    expect(stage.api.keys.size).toBe(1);
  });

  it("rejects in the end and is no failure of a job; the next click is the same submit", async () => {
    const onError = vi.fn();
    const { result } = renderHook(() => useJobPolling(undefined, onError), { wrapper: page() });
    stage.api.beforeAnswer = () => new Promise(() => {});
    const refused = vi.fn();
    act(() => void result.current.submit(REQUEST).catch(refused));
    await pass(40_000);
    expect(refused).toHaveBeenCalledOnce();
    expect(result.current).toMatchObject({
      isFailed: false,
      isSubmitting: false,
      submitError: { code: "timeout" },
    });
    expect(onError).not.toHaveBeenCalled();
    stage.api.beforeAnswer = () => Promise.resolve();
    await act(async () => {
      void result.current.submit(REQUEST);
      await settled();
    });
    expect(stage.api.jobs.size).toBe(1);
    expect(result.current.submitError).toBeNull();
  });

  it("is not repeated when it was refused", async () => {
    stage.api.mode = { status: 400 };
    const { result } = renderHook(() => useJobPolling(), { wrapper: page() });
    const refused = vi.fn();
    act(() => void result.current.submit(REQUEST).catch(refused));
    await pass(20_000);
    expect(refused).toHaveBeenCalledOnce();
    expect(stage.api.submits).toHaveLength(1);
    expect(result.current.submitError?.status).toBe(400);
  });
});

describe("useActiveJobs", () => {
  it("has the jobs of this browser, wherever they were submitted, until they are dismissed", async () => {
    const { id, client, unmount } = await started();
    unmount();
    const { result } = renderHook(() => useActiveJobs(), { wrapper: page(client) });
    await pass(100);
    expect(result.current.jobs.map((job) => job.id)).toEqual([id]);
    stage.api.complete(id);
    await pass(3_000);
    expect(result.current).toMatchObject({ jobs: [], ended: [{ id }] });
    act(() => result.current.dismiss(id));
    expect(result.current.ended).toEqual([]);
  });

  it("leaves out ended jobs whose end was told where they were submitted", async () => {
    const { id, client } = await started();
    const { result } = renderHook(() => [useActiveJobs(), useOwnJobIds()] as const, {
      wrapper: page(client),
    });
    stage.api.complete(id);
    await pass(3_000);
    expect(result.current[0]).toMatchObject({ jobs: [], ended: [] });
    expect(result.current[1]).toEqual([id]);
  });

  it("hears of what another tab submits", async () => {
    const { id } = stage.api.create();
    const { result } = renderHook(() => useActiveJobs(), { wrapper: page() });
    const entry = {
      submission: "of-another-tab",
      key: "x",
      type: "generate_relics",
      print: "p",
      at: Date.now(),
      jobId: id,
    };
    localStorage.setItem("loresmith.job:of-another-tab", JSON.stringify(entry));
    act(
      () => void window.dispatchEvent(new StorageEvent("storage", { key: "loresmith.job:of-another-tab" })),
    );
    await pass(100);
    expect(result.current.jobs).toHaveLength(1);
  });
});
