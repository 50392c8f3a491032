import { act, renderHook } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { useJobPolling, useJobStatus } from "../src/index.js";
import { newClient, page, pass, REQUEST, setHidden, settled, useApi } from "./stage.js";
import { started } from "./started.js";

const stage = useApi();

describe("a job that is followed", () => {
  it("is polling while pending and processing, and completed with its result at the end", async () => {
    const { hook, id, onComplete } = await started();
    expect(hook()).toMatchObject({ isPolling: true, isCompleted: false, isFailed: false });
    stage.api.change(id, { status: "processing", state: "running", progress: 40 });
    await pass(3_000);
    expect(hook().job).toMatchObject({ id, status: "processing", progress: 40 });
    expect(hook().isPolling).toBe(true);
    stage.api.complete(id);
    await pass(3_000);
    expect(hook()).toMatchObject({ isPolling: false, isCompleted: true, isFailed: false });
    expect(onComplete).toHaveBeenCalledExactlyOnceWith([{ name: "Ada" }]);
  });

  it("is polled every 3 s until it is completed, and never again", async () => {
    const { id } = await started();
    await pass(9_100);
    expect(stage.api.polls).toHaveLength(3);
    stage.api.complete(id);
    await pass(3_000);
    expect(stage.api.polls).toHaveLength(4);
    await pass(60_000);
    expect(stage.api.polls).toHaveLength(4);
  });

  it("is failed when it failed, and onError gets its error as a string", async () => {
    const { hook, id, onComplete, onError } = await started();
    stage.api.fail(id, "gRPC service timed out");
    await pass(3_000);
    expect(hook()).toMatchObject({
      isPolling: false,
      isCompleted: false,
      isFailed: true,
      isCancelled: false,
    });
    expect(onError).toHaveBeenCalledExactlyOnceWith("gRPC service timed out");
    expect(onComplete).not.toHaveBeenCalled();
  });

  it("is failed and cancelled after a cancel of one's own, and onError is not called", async () => {
    const { hook, onError } = await started();
    await act(async () => {
      const cancelled = hook().cancel();
      await settled();
      await cancelled;
    });
    expect(hook()).toMatchObject({ isFailed: true, isCancelled: true, isPolling: false });
    await pass(10_000);
    expect(onError).not.toHaveBeenCalled();
  });

  it("tells onError of a cancel by somebody else", async () => {
    const { id, onError } = await started();
    stage.api.change(id, { status: "failed", state: "cancelled", error: "Job was cancelled" });
    await pass(3_000);
    expect(onError).toHaveBeenCalledExactlyOnceWith("Job was cancelled");
  });

  it("can be retried: a new job takes its place", async () => {
    const { hook, id, onComplete, onError } = await started();
    stage.api.fail(id);
    await pass(3_000);
    await act(async () => {
      const retried = Promise.all([hook().retry(), hook().retry()]);
      await settled();
      await retried;
    });
    expect(hook().job?.retry_of).toBe(id);
    expect(stage.api.jobs.size).toBe(2);
    stage.api.complete(hook().job!.id);
    await pass(3_000);
    expect(onError).toHaveBeenCalledOnce();
    expect(onComplete).toHaveBeenCalledOnce();
  });

  it("is forgotten by reset", async () => {
    const { hook } = await started();
    act(() => hook().reset());
    expect(hook()).toMatchObject({ job: undefined, isPolling: false });
  });

  it("shows finished items while it runs, and an ETA where there is one", async () => {
    const { hook, id } = await started();
    const eta = { seconds: 20, low: 15, high: 30 };
    stage.api.change(id, { status: "processing", items: [{ name: "Ada" }], eta });
    await pass(3_000);
    expect(hook().items).toEqual([{ name: "Ada" }]);
    expect(hook().eta).toEqual(eta);
  });
});

describe("a server of the first hour, with the core of the contract only,", () => {
  it("is polled to the end", async () => {
    const { hook, id, onComplete } = await started();
    const core = { id, type: "generate_characters", created_at: "2025-01-10T12:00:00Z", message: "" };
    stage.api.jobs.set(id, { ...core, status: "processing", progress: 67, result: null });
    await pass(3_000);
    expect(hook().job?.progress).toBe(67);
    stage.api.jobs.set(id, { ...core, status: "completed", progress: 100, result: ["Frodo"] });
    await pass(3_000);
    expect(onComplete).toHaveBeenCalledExactlyOnceWith(["Frodo"]);
  });
});

describe("callbacks come exactly once", () => {
  it("in StrictMode", async () => {
    const onComplete = vi.fn();
    const { result } = renderHook(() => useJobPolling(onComplete), {
      wrapper: page(newClient(), { strict: true }),
    });
    await act(async () => {
      void result.current.submit(REQUEST);
      await settled();
    });
    expect(stage.api.submits).toHaveLength(1);
    stage.api.complete(result.current.job!.id);
    await pass(6_000);
    expect(onComplete).toHaveBeenCalledOnce();
  });

  it("through a storm of renders with new callbacks each time", async () => {
    const calls: number[] = [];
    const { result, rerender } = renderHook(({ render }) => useJobPolling(() => void calls.push(render)), {
      wrapper: page(),
      initialProps: { render: 0 },
    });
    await act(async () => {
      void result.current.submit(REQUEST);
      await settled();
    });
    stage.api.complete(result.current.job!.id);
    for (let render = 1; render <= 160; render += 1) {
      rerender({ render });
      await pass(250);
    }
    expect(calls).toHaveLength(1);
    expect(calls[0]).toBeGreaterThan(1);
  });

  it("when the window gets the focus again", async () => {
    const { id, onComplete } = await started();
    stage.api.complete(id);
    await pass(3_000);
    for (let turn = 0; turn < 5; turn += 1) {
      setHidden(true);
      setHidden(false);
      await pass(3_000);
    }
    expect(onComplete).toHaveBeenCalledOnce();
  });

  it("with a second observer of the same job", async () => {
    const client = newClient();
    const { id, onComplete } = await started("first", client);
    renderHook(() => useJobStatus(id), { wrapper: page(client) });
    renderHook(() => useJobStatus(id), { wrapper: page(client) });
    stage.api.complete(id);
    await pass(9_000);
    expect(onComplete).toHaveBeenCalledOnce();
  });

  it("and not again for who comes back to it", async () => {
    const { id, onComplete, unmount, client } = await started("kept");
    stage.api.complete(id);
    await pass(3_000);
    unmount();
    const again = vi.fn();
    const { result } = renderHook(() => useJobPolling(again, undefined, { key: "kept" }), {
      wrapper: page(client),
    });
    await pass(3_000);
    expect(result.current).toMatchObject({ isCompleted: true, items: [{ name: "Ada" }] });
    expect(onComplete).toHaveBeenCalledOnce();
    expect(again).not.toHaveBeenCalled();
  });
});
