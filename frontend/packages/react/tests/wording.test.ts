import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { outlookInWords, secondsInWords } from "../src/components/wording.js";
import type { Job } from "../src/types.js";

/** The command line is tested against the same examples. */
const examples = JSON.parse(readFileSync("../tests/outlook.json", "utf8")) as {
  eta: { low: number; high: number; words: string }[];
  queue: { position: number; starts_in: number | null; words: string }[];
};
const NOW = Date.parse("2026-01-01T00:00:00Z");
const job = (changes: Partial<Job>): Job => ({
  id: "1",
  type: "t",
  status: "processing",
  progress: 30,
  message: "",
  created_at: "2026-01-01T00:00:00Z",
  ...changes,
});

describe("what is told of a job's time", () => {
  it.each(examples.eta)("while it runs: $words", ({ low, high, words }) => {
    const eta = { seconds: (low + high) / 2, low, high };
    expect(outlookInWords(job({ eta }), { aged: 0, at: NOW })).toBe(words);
  });
  it.each(examples.queue)("while it waits: $words", ({ position, starts_in, words }) => {
    const expected_start = starts_in === null ? null : new Date(NOW + starts_in * 1000).toISOString();
    const waiting = job({ status: "pending", queue: { position, expected_start } });
    expect(outlookInWords(waiting, { aged: 0, at: NOW })).toBe(words);
  });
  it("counts down between two answers, until nothing is left of it", () => {
    const running = job({ eta: { seconds: 12, low: 8, high: 20 } });
    expect(outlookInWords(running, { aged: 5, at: NOW })).toBe("about 3 to 15 s left");
    expect(outlookInWords(running, { aged: 20, at: NOW })).toBe("");
  });
  it("is nothing once it has ended, nor without anything known", () => {
    const eta = { seconds: 1, low: 1, high: 1 };
    expect(outlookInWords(job({ status: "completed", eta }), { aged: 0, at: NOW })).toBe("");
    expect(outlookInWords(job({}), { aged: 0, at: NOW })).toBe("");
    expect(outlookInWords(job({ status: "pending" }), { aged: 0, at: NOW })).toBe("");
  });
});

describe("a time", () => {
  it.each([
    [0.4, "under 1 s"],
    [59.4, "59 s"],
    [59.6, "1 min"],
    [119.7, "2 min"],
    [90, "1 min 30 s"],
    [3_600, "1 h"],
    [86_401, "24 h"],
    [5_400, "1 h 30 min"],
  ])("of %d s is %s", (seconds, words) => expect(secondsInWords(seconds)).toBe(words));
});
