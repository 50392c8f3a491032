import { act, renderHook } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { useJobs, useJobStatus, useSubmitJob } from "../src/index.js";
import { newClient, page, pass, REQUEST, setHidden, setOnline, settled, useApi } from "./stage.js";
import { started } from "./started.js";

const stage = useApi();

describe("the network", () => {
  it("failing on the first look is no failure of the job", async () => {
    const { hook, id, onComplete, onError } = await started();
    stage.api.mode = "down";
    await pass(3_000);
    expect(hook()).toMatchObject({ isPolling: true, isFailed: false, connection: "reconnecting" });
    stage.api.mode = "up";
    stage.api.complete(id);
    await pass(3_000);
    expect(onComplete).toHaveBeenCalledOnce();
    expect(onError).not.toHaveBeenCalled();
  });

  it("that stays away is tried after 3, 6, 12, 24, 30 and 30 s", async () => {
    await started();
    stage.api.mode = "down";
    const seconds: number[] = [];
    for (let second = 1; second <= 130; second += 1) {
      const before = stage.api.polls.length;
      await pass(1_000);
      if (stage.api.polls.length > before) seconds.push(second);
    }
    const waits = seconds.slice(1).map((second, at) => second - seconds[at]!);
    expect(waits).toEqual([3, 6, 12, 24, 30, 30]);
  });

  it("is tried every 3 s again once it is back", async () => {
    await started();
    stage.api.mode = "down";
    await pass(25_000);
    stage.api.mode = "up";
    await pass(24_000);
    const before = stage.api.polls.length;
    await pass(9_000);
    expect(stage.api.polls.length - before).toBe(3);
  });

  it("being away shows as offline, and its return is noticed at once", async () => {
    const { hook, id } = await started();
    stage.api.mode = "down";
    setOnline(false);
    await pass(12_000);
    expect(hook().connection).toBe("offline");
    stage.api.mode = "up";
    stage.api.complete(id);
    setOnline(true);
    await pass(100);
    expect(hook().isCompleted).toBe(true);
  });

  it("does not hold a look for longer than 10 s", async () => {
    const { hook, id } = await started();
    stage.api.mode = "hanging";
    await pass(12_500);
    expect(stage.api.polls).toHaveLength(1);
    expect(hook().connection).not.toBe("reconnecting");
    await pass(1_000);
    expect(hook().connection).toBe("reconnecting");
    stage.api.mode = "up";
    stage.api.complete(id);
    await pass(13_000);
    expect(hook().isCompleted).toBe(true);
  });
});

describe("a look", () => {
  it("that nobody waits for any more is given up", async () => {
    const { unmount } = await started();
    stage.api.mode = "hanging";
    const sent = vi.spyOn(globalThis, "fetch");
    await pass(3_100);
    const signal = sent.mock.calls.at(-1)?.[1]?.signal;
    expect(signal?.aborted).toBe(false);
    unmount();
    await pass(10);
    expect(signal?.aborted).toBe(true);
  });
});

describe("pace", () => {
  it("goes on in a hidden tab where looks fail, too", async () => {
    const { id, hook } = await started();
    setHidden(true);
    stage.api.mode = "down";
    await pass(100_000);
    expect(stage.api.polls.length).toBeGreaterThan(3);
    stage.api.mode = "up";
    stage.api.complete(id);
    await pass(31_000);
    expect(hook().isCompleted).toBe(true);
  });

  it("is slower in a hidden tab, but not nothing", async () => {
    const { id, hook } = await started();
    setHidden(true);
    await pass(3_000);
    const before = stage.api.polls.length;
    await pass(60_000);
    expect(stage.api.polls.length - before).toBe(4);
    stage.api.complete(id);
    setHidden(false);
    await pass(100);
    expect(hook().isCompleted).toBe(true);
  });

  it("obeys poll_after_ms", async () => {
    stage.api.pollAfterMs = 10_000;
    await started();
    await pass(9_900);
    expect(stage.api.polls).toHaveLength(0);
    await pass(20_200);
    expect(stage.api.polls).toHaveLength(3);
  });

  it("obeys Retry-After", async () => {
    const { hook } = await started();
    stage.api.mode = { status: 503, headers: { "Retry-After": "20" } };
    await pass(3_000);
    expect(stage.api.polls).toHaveLength(1);
    await pass(19_500);
    expect(stage.api.polls).toHaveLength(1);
    await pass(1_000);
    expect(stage.api.polls).toHaveLength(2);
    expect(hook().isFailed).toBe(false);
  });

  it("of 20 jobs on a page is one request per interval", async () => {
    const ids = Array.from({ length: 20 }, () => stage.api.create().id);
    renderHook(() => useJobs(ids), { wrapper: page() });
    await pass(100);
    expect(stage.api.polls).toHaveLength(1);
    await pass(9_000);
    expect(stage.api.polls).toHaveLength(4);
  });

  it("is one request for jobs that came one after another, too", async () => {
    const client = newClient();
    const wrapper = page(client);
    for (let number = 0; number < 20; number += 1) {
      const { id } = stage.api.create();
      renderHook(() => useJobStatus(id), { wrapper });
      await pass(100);
    }
    await pass(3_000);
    const before = stage.api.polls.length;
    await pass(9_000);
    expect(stage.api.polls.length - before).toBe(3);
  });

  it("does not ask sooner for a job whose server asked for patience, only because others are due", async () => {
    const quick = stage.api.create().id;
    stage.api.pollAfterMs = 10_000;
    const slow = stage.api.create().id;
    renderHook(() => useJobs([quick, slow]), { wrapper: page() });
    await pass(9_500);
    expect(stage.api.polls.filter((each) => each.includes(slow))).toHaveLength(1);
    expect(stage.api.polls.filter((each) => each.includes(quick))).toHaveLength(4);
  });
});

describe("a late answer", () => {
  it("never turns the job back", async () => {
    const { hook, id } = await started();
    stage.api.change(id, { status: "processing", progress: 60, seq: 9 });
    await pass(3_000);
    stage.api.change(id, { status: "processing", progress: 30, seq: 5 });
    await pass(3_000);
    expect(hook().job?.progress).toBe(60);
  });

  it("never brings an ended job back to life", async () => {
    const { hook, id, client } = await started();
    stage.api.complete(id);
    await pass(3_000);
    act(
      () => void client.setQueryData(["loresmith", "", id], { ...hook().job!, status: "processing", seq: 2 }),
    );
    expect(hook().isCompleted).toBe(true);
  });
});

describe("an id that is not known", () => {
  it("ends a job that was followed, as failed", async () => {
    const { hook, id, onError } = await started();
    stage.api.jobs.delete(id);
    await pass(3_000);
    expect(hook()).toMatchObject({ isPolling: false, isFailed: true });
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("no longer known"));
  });

  it("is an error of useJobStatus, and not polled", async () => {
    const { result } = renderHook(() => useJobStatus("00000000-0000-4000-8000-00000000dead"), {
      wrapper: page(),
    });
    await pass(30_000);
    expect(result.current).toMatchObject({
      job: undefined,
      isPolling: false,
      error: { code: "job_not_found" },
    });
    expect(stage.api.polls).toHaveLength(1);
  });
});

describe("useSubmitJob", () => {
  it("submits and returns the job, and polls nothing", async () => {
    const { result } = renderHook(() => useSubmitJob(), { wrapper: page() });
    await act(async () => {
      const sent = result.current.submit(REQUEST);
      await settled();
      expect(await sent).toMatchObject({ status: "pending" });
    });
    await pass(10_000);
    expect(stage.api.polls).toHaveLength(0);
    expect(result.current.data?.type).toBe("generate_characters");
  });
});

describe("useJobStatus", () => {
  it("polls a job that is known by its id only, and goes over to another", async () => {
    const [one, other] = [stage.api.create().id, stage.api.create().id];
    const { result } = renderHook(
      () => {
        const [id, setId] = useState(one);
        return { ...useJobStatus(id), setId };
      },
      { wrapper: page() },
    );
    await pass(3_100);
    expect(result.current.job?.id).toBe(one);
    act(() => result.current.setId(other));
    stage.api.complete(other);
    await pass(100);
    expect(result.current).toMatchObject({ isCompleted: true, job: { id: other } });
  });
});
