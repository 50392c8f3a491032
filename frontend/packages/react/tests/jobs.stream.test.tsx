import { act, renderHook } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { createJobsClient, useJobStatus } from "../src/index.js";
import { newClient, page, pass, setHidden, useApi } from "./stage.js";
import { started } from "./started.js";

const stage = useApi();
const streamsAsked = () => stage.api.asked.filter((each) => each.endsWith("/events"));

async function live() {
  stage.api.offersEvents = true;
  const follower = await started();
  await pass(100);
  return follower;
}

describe("an event stream", () => {
  it("is taken where the server offers it, and shows changes at once", async () => {
    const { hook, id } = await live();
    expect(hook().connection).toBe("live");
    stage.api.push(id, "progress", { id, status: "processing", state: "running", seq: 4, progress: 33 }, 4);
    await pass(50);
    expect(hook().job).toMatchObject({ progress: 33, links: { events: `/jobs/${id}/events` } });
  });

  it("is not asked for where the server offers none", async () => {
    const { hook } = await started();
    await pass(3_000);
    expect(streamsAsked()).toHaveLength(0);
    expect(hook().connection).toBe("polling");
  });

  it("brings items one by one, each once, and drops those of an attempt that failed", async () => {
    const { hook, id } = await live();
    stage.api.push(id, "item", { index: 1, value: { name: "Bea" } });
    await pass(50);
    stage.api.push(id, "item", { index: 0, value: { name: "Ada" } });
    stage.api.push(id, "item", { index: 0, value: { name: "Ada" } });
    await pass(50);
    expect(hook().items).toEqual([{ name: "Bea" }, { name: "Ada" }]);
    stage.api.push(
      id,
      "snapshot",
      stage.api.change(id, { status: "processing", seq: 8, attempt: 2, items: [] }),
      8,
    );
    await pass(50);
    expect(hook().items).toEqual([]);
  });

  it("ends with the job, whose end is told once", async () => {
    const { hook, id, onComplete } = await live();
    stage.api.push(id, "done", stage.api.complete(id), 9);
    await pass(20_000);
    expect(hook().isCompleted).toBe(true);
    expect(onComplete).toHaveBeenCalledOnce();
    expect(streamsAsked()).toHaveLength(1);
  });

  it("that tells something makes polls needless; 3 s after it fell silent polling begins by itself", async () => {
    const { id } = await live();
    for (let seq = 2; seq < 12; seq += 1) {
      stage.api.push(id, "progress", { id, status: "processing", seq, progress: 20 + seq }, seq);
      await pass(1_000);
    }
    expect(stage.api.polls).toHaveLength(0);
    await pass(2_300);
    expect(stage.api.polls).toHaveLength(1);
  });

  it("that breaks is taken up again where it broke off, and is polled meanwhile", async () => {
    const { hook, id } = await live();
    stage.api.push(id, "status", { id, status: "processing", seq: 5, progress: 20 }, 5);
    await pass(50);
    stage.api.streams.get(id)!.error(new Error("reset"));
    await pass(50);
    expect(hook().connection).toBe("polling");
    await pass(4_000);
    expect(streamsAsked()).toHaveLength(2);
    expect(hook().connection).toBe("live");
    expect(hook().isFailed).toBe(false);
  });

  it("that is silent for 25 s, without even a heartbeat, is given up for a new one", async () => {
    await live();
    await pass(24_000);
    expect(streamsAsked()).toHaveLength(1);
    await pass(5_000);
    expect(streamsAsked()).toHaveLength(2);
  });

  it("is let go while the tab is hidden, and taken again when it is looked at", async () => {
    const { hook } = await live();
    setHidden(true);
    await pass(100);
    expect(hook().connection).toBe("polling");
    setHidden(false);
    await pass(1_100);
    expect(hook().connection).toBe("live");
  });

  it.each(["expired", "revoked", "changed"])(
    "that is closed since the key was %s stops it all, and says why",
    async (reason) => {
      const { hook, id, onError } = await live();
      stage.api.push(id, "closed", { reason });
      await pass(60_000);
      expect(hook()).toMatchObject({
        isPolling: true,
        isFailed: false,
        connection: "refused",
        connectionError: { status: 401, code: `credential_${reason}`, isRetryable: false },
      });
      expect(hook().connectionError?.message).toContain(`(${reason}): sign in again`);
      expect(streamsAsked()).toHaveLength(1);
      expect(stage.api.polls).toHaveLength(0);
      expect(onError).not.toHaveBeenCalled();
      stage.api.change(id, { status: "processing", progress: 50 });
      act(() => void hook().refetch());
      await pass(100);
      expect(hook(), "after a new sign-in").toMatchObject({
        connection: "live",
        connectionError: null,
        job: { progress: 50 },
      });
      expect(streamsAsked()).toHaveLength(2);
    },
  );

  it("that is closed is opened again with a token that was renewed meanwhile", async () => {
    stage.api.offersEvents = true;
    let token = "old";
    const onUnauthorized = vi.fn();
    const jobs = createJobsClient({ token: () => token, onUnauthorized });
    const { hook, id } = await started(undefined, newClient(), { jobs });
    await pass(100);
    token = "new";
    stage.api.push(id, "closed", { reason: "expired" });
    await pass(4_000);
    expect(hook().connection).toBe("live");
    expect(stage.api.tokens.at(-1)).toBe("Bearer new");
    expect(onUnauthorized).not.toHaveBeenCalled();
  });

  it("that the server refuses for good leaves polling", async () => {
    stage.api.offersEvents = true;
    const { id } = stage.api.create();
    stage.api.hasStrangeEvents = true;
    const { result } = renderHook(() => useJobStatus(id), { wrapper: page() });
    await pass(10_000);
    expect(result.current.connection).toBe("polling");
    expect(stage.api.polls.length).toBeGreaterThan(2);
  });

  it("is held for two jobs at once at most where tabs cannot tell each other: six connections are all there are", async () => {
    stage.api.offersEvents = true;
    const ids = Array.from({ length: 5 }, () => stage.api.create().id);
    const wrapper = page();
    ids.forEach((id) => renderHook(() => useJobStatus(id), { wrapper }));
    await pass(1_000);
    expect(streamsAsked()).toHaveLength(2);
    stage.api.push(ids[0]!, "done", stage.api.complete(ids[0]!), 9);
    await pass(1_000);
    expect(streamsAsked()).toHaveLength(3);
  });
});
