import { describe, expect, it } from "vitest";
import { eventParser, type ServerEvent } from "../src/client/events.js";
import { ApiError, readRetryAfter } from "../src/client/error.js";
import { mergeJob } from "../src/client/merge.js";
import { fingerprint } from "../src/hooks/registry.js";
import { backoffMs, isCancelled, itemsOf, mayJoin, nextLookMs } from "../src/client/rules.js";
import type { Job } from "../src/types.js";

const job = (changes: Partial<Job> = {}): Job => ({
  id: "1",
  type: "t",
  status: "processing",
  progress: 30,
  message: "",
  created_at: "2026-01-01T00:00:00Z",
  seq: 5,
  ...changes,
});
const away = new ApiError("away", { status: 503, isRetryable: true });

/** Return the pause of a job that was read at 1 s; with an error, at the given second. */
function pauseOf(data: Job | undefined, error: unknown = null, atSecond = 0, isHidden = false) {
  const dataUpdatedAt = data ? 1_000 : 0;
  return nextLookMs({ data, error, dataUpdatedAt, errorUpdatedAt: atSecond * 1_000 }, isHidden);
}

describe("when to look again", () => {
  it("is never, once a job has ended", () => {
    expect(pauseOf(job({ status: "completed" }))).toBe(false);
    expect(pauseOf(job({ status: "failed" }), away, 9)).toBe(false);
  });
  it("is after 3 s, or when the server said", () => {
    expect(pauseOf(job())).toBe(3_000);
    expect(pauseOf(undefined)).toBe(3_000);
    expect(pauseOf(job({ poll_after_ms: 1_000 }))).toBe(1_000);
    expect(pauseOf(job(), null, 0, true)).toBe(15_000);
  });
  it("is, after a failure, as long as there was no answer, and not before Retry-After", () => {
    expect([2, 4, 7, 25, 99].map((second) => pauseOf(job(), away, second))).toEqual([
      3_000, 3_000, 6_000, 24_000, 30_000,
    ]);
    expect(pauseOf(undefined, away, 99)).toBe(3_000);
    expect(pauseOf(job(), new ApiError("away", { retryAfterMs: 9_000 }), 2)).toBe(9_000);
  });
  it("grows between the tries of a submit", () => {
    expect([1, 2, 3, 4, 5, 99].map(backoffMs)).toEqual([3_000, 6_000, 12_000, 24_000, 30_000, 30_000]);
  });
  it("is never, once the server refuses the key or the origin", () => {
    for (const details of [{ status: 401 }, { code: "origin_refused" }])
      expect(pauseOf(job(), new ApiError("refused", details), 2)).toBe(false);
  });
  it("is never at once, whatever a server says", () => {
    expect(pauseOf(job({ poll_after_ms: 0 }))).toBe(250);
  });
  it("may be sooner along with others, but not against the server's wish", () => {
    expect(mayJoin(job(), 1_600)).toBe(true);
    expect(mayJoin(job(), 1_400)).toBe(false);
    expect(mayJoin(job({ poll_after_ms: 10_000 }), 9_000)).toBe(false);
  });
});

describe("the later of two states", () => {
  it("is that with the higher seq", () => {
    const [old, next] = [job({ seq: 5 }), job({ seq: 6 })];
    expect(mergeJob(old, next).seq).toBe(6);
    expect(mergeJob(next, old).seq).toBe(6);
  });
  it("is an ended one for ever", () => {
    const ended = job({ status: "failed" });
    expect(mergeJob(ended, job({ seq: 99 }))).toBe(ended);
  });
  it("shows without seq, too: status and progress only go forward", () => {
    const bare = job();
    delete bare.seq;
    expect(mergeJob(bare, { ...bare, progress: 20 }).progress).toBe(30);
    expect(mergeJob(bare, { ...bare, status: "pending", progress: 99 }).status).toBe("processing");
    expect(mergeJob(bare, { ...bare, status: "completed", progress: 100 }).status).toBe("completed");
  });
  it("keeps items in the order they were seen", () => {
    const merged = mergeJob(job({ items: ["b"] }), job({ seq: 6, items: ["a", "b"] }));
    expect(merged.items).toEqual(["b", "a"]);
  });
  it("drops items of an attempt that failed", () => {
    expect(mergeJob(job({ items: ["x", "b"] }), job({ seq: 6, items: ["b"] })).items).toEqual(["b"]);
  });
});

describe("a job", () => {
  it("is cancelled only when it is failed as well", () => {
    expect(isCancelled(job({ state: "cancelled", status: "failed" }))).toBe(true);
    expect(isCancelled(job({ state: "cancelling" }))).toBe(false);
  });
  it("shows its result as items once it is completed", () => {
    expect(itemsOf(job({ status: "completed", result: [1, 2], items: [] }))).toEqual([1, 2]);
    expect(itemsOf(job({ status: "completed", result: { title: "x" }, items: [3] }))).toEqual([3]);
    expect(itemsOf(undefined)).toEqual([]);
  });
});

describe("events in text", () => {
  const text =
    'retry: 1000\n\nevent: item\ndata: {"a":\ndata: 1}\n\n: still here\n\nevent: done\r\nid: 7\r\ndata: x\r\n\r\n';
  const expected: ServerEvent[] = [
    { name: "item", data: '{"a":\n1}' },
    { name: "done", data: "x" },
  ];
  it.each([1, 2, 3, 7, 1000])("are read in pieces of %i", (size) => {
    const events: ServerEvent[] = [];
    const parse = eventParser();
    for (let at = 0; at < text.length; at += size) events.push(...parse(text.slice(at, at + size)));
    expect(events).toEqual(expected);
  });
});

describe("Retry-After", () => {
  it("is seconds or a date", () => {
    expect(readRetryAfter("3")).toBe(3_000);
    expect(readRetryAfter(new Date(Date.now() + 60_000).toUTCString())).toBeGreaterThan(58_000);
    expect(readRetryAfter("soon")).toBeUndefined();
    expect(readRetryAfter(null)).toBeUndefined();
  });
});

describe("a fingerprint", () => {
  it("tells requests apart, whatever the order of their members", () => {
    expect(fingerprint({ a: 1, b: { c: 2, d: 3 } })).toBe(fingerprint({ b: { d: 3, c: 2 }, a: 1 }));
    expect(fingerprint({ a: 1 })).not.toBe(fingerprint({ a: 2 }));
  });
});
