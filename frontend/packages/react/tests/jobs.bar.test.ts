import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bar, barOf } from "../src/progress/bar.js";
import type { Connection, Job } from "../src/types.js";

const SLOW = "Generating... (still working, slower than usual)";
const job = (changes: Partial<Job> = {}): Job => ({
  id: "1",
  type: "t",
  status: "processing",
  state: "running",
  progress: 38,
  fraction: 0.305,
  progress_source: "measured",
  message: "Generating...",
  created_at: "2026-01-01T00:00:00Z",
  seq: 5,
  eta: { seconds: 20, low: 15, high: 40 },
  ...changes,
});

/** Return what is shown after each of the given seconds, when nothing new is heard. */
function shownAfter(seconds: readonly number[], said: Job, connection: Connection = "live"): number[] {
  let bar = barOf(undefined, said, connection, 0);
  return seconds.map((each) => (bar = barOf(bar, said, connection, each * 1000)).shown);
}

describe("the bar between two words of the server", () => {
  it("moves on by the ETA", () => {
    const [first, later, much] = shownAfter([0, 4, 30], job());
    expect(first).toBeCloseTo(38, 0);
    expect(later).toBeGreaterThan(40);
    expect(later).toBeLessThan(20 + 59 * (0.305 + (0.695 * 4) / 20));
    expect(much).toBeGreaterThan(60);
  });
  it("never says 80 before the server does, and stands still when the interval has passed", () => {
    const [end, after] = shownAfter([40, 41], job());
    expect(end).toBeLessThanOrEqual(79);
    expect(after).toBe(end);
    expect(shownAfter([60], job())).toEqual([38]);
  });
  it.each<[string, Partial<Job>, Connection]>([
    ["says that it is slower than usual", { message: SLOW }, "live"],
    ["is being stopped", { state: "cancelling" }, "live"],
    ["waits for another try", { state: "retrying", status: "pending" }, "live"],
    ["is put together", { progress: 90, fraction: 1 }, "live"],
    ["has failed", { status: "failed", state: "failed" }, "live"],
    ["has no ETA", { eta: null }, "live"],
    ["is out of reach", {}, "reconnecting"],
    ["is out of reach, and so is the network", {}, "offline"],
  ])("stands still where the job %s", (_, changes, connection) => {
    const said = job(changes);
    expect(shownAfter([1, 5, 15], said, connection)).toEqual([said.progress, said.progress, said.progress]);
  });
  it("goes on where it was when the connection is back", () => {
    const said = job();
    const at4 = barOf(barOf(undefined, said, "live", 0), said, "live", 4_000);
    const lost = barOf(at4, said, "offline", 12_000);
    expect(lost.shown).toBe(at4.shown);
    expect(barOf(lost, said, "live", 12_000).shown).toBe(shownAfter([12], said)[0]);
  });
  it("does not begin anew when the same is said again, nor when an item is new", () => {
    const bar = barOf(barOf(undefined, job(), "polling", 0), job({ items: ["x"] }), "polling", 3_000);
    expect(bar.since).toBe(0);
  });
  it("goes by the clock where the server does", () => {
    const simulated = job({ progress: 40, fraction: 0.9, progress_source: "simulated" });
    expect(shownAfter([2], simulated)[0]).toBeLessThan(46);
  });
});

const CONNECTIONS: Connection[] = ["live", "polling", "reconnecting", "offline"];
const seconds = fc.double({ min: 0, max: 400, noNaN: true });
const etas = fc.option(
  fc.tuple(seconds, seconds, seconds).map((each) => {
    const [low, middle, high] = each.sort((a, b) => a - b);
    return { seconds: middle, low, high };
  }),
);
const documents: fc.Arbitrary<Partial<Job>> = fc.record({
  progress: fc.integer({ min: 0, max: 90 }),
  fraction: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  progress_source: fc.constantFrom("measured", "simulated"),
  state: fc.constantFrom("running", "running", "running", "cancelling", "retrying"),
  message: fc.constantFrom("Generating...", "Generating...", SLOW),
  eta: etas,
});
const ENDS: Partial<Job>[] = [
  { status: "completed", state: "completed", progress: 100 },
  { status: "failed", state: "cancelled" },
];
/** What happens: a while goes by, and something new is heard or not; the clock may also be set back. */
const histories = fc.tuple(
  fc.array(
    fc.record({
      ms: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: -60_000, max: 200_000 })),
      news: fc.option(documents),
      connection: fc.constantFrom(...CONNECTIONS),
    }),
    { maxLength: 60 },
  ),
  fc.constantFrom(...ENDS),
);

interface Seen {
  before: Bar | undefined;
  bar: Bar;
  said: Job;
  connection: Connection;
  now: number;
}

/** Play a history; the numbers of the server go up only, as it promises. */
function played([steps, end]: typeof histories extends fc.Arbitrary<infer T> ? T : never): Seen[] {
  let before: Bar | undefined;
  let [said, now, seq] = [job({ status: "pending", progress: 0 }), 0, 1, undefined as Bar | undefined];
  const seen: Seen[] = [];
  for (const { ms, news, connection } of [...steps, { ms: 1_000, news: end, connection: "live" as const }]) {
    now += ms;
    if (news) {
      const progress = Math.max(said.progress, news.progress ?? 0);
      said = { ...said, status: "processing", ...news, progress, seq: ++seq };
    }
    const bar = barOf(before, said, connection, now);
    seen.push({ before, bar, said, connection, now });
    before = bar;
  }
  return seen;
}

/** The number of the server at a moment, by its own formulas: what was done, and of the rest what the ETA says. */
function estimated({ said, bar, now }: Seen): number {
  const passed = Math.max(0, now - bar.since) / 1000;
  const shown = (said.progress - 20) / 59;
  const done = said.progress_source === "simulated" ? shown : (said.fraction ?? shown);
  if (said.status !== "processing" || !said.eta) return said.progress;
  const left = Math.max(0, said.eta.seconds - passed);
  const longest = Math.max(left, said.eta.high - passed);
  const kept = left + 0.2 * (longest - left);
  let share = done + ((1 - done) * passed) / Math.max(passed + kept, 1e-9);
  if (share > 0.95) share = Math.min(share, Math.max(0.95, done + passed / 59 / 7));
  return Math.max(said.progress, 20 + 59 * Math.min(share, 0.995));
}

describe("whatever is said, and whenever", () => {
  const always = (holds: (seen: Seen[]) => boolean) =>
    fc.assert(
      fc.property(histories, (history) => holds(played(history))),
      { numRuns: 500 },
    );

  it("the bar never goes back", () => {
    always((seen) => seen.every(({ before, bar }) => bar.shown >= (before?.shown ?? 0)));
  });
  it("it says no more than 79, or what the server said", () => {
    always((seen) => seen.every(({ bar, said }) => bar.shown <= Math.max(79, said.progress)));
  });
  it("it is never past where an estimate of the server would be", () => {
    always((seen) => {
      let most = 0;
      return seen.every((each) => {
        most = Math.max(most, estimated(each));
        return each.bar.shown <= most + 1e-9;
      });
    });
  });
  it("it is at least where the server said, so that what is completed shows 100", () => {
    always((seen) => seen.every(({ bar, said }) => bar.shown >= said.progress));
  });
  it("it stands still when slow, lost, stopped, ended, or past the interval", () => {
    const stands = ({ bar, said, connection, now }: Seen) =>
      said.message === SLOW ||
      connection === "offline" ||
      connection === "reconnecting" ||
      said.state !== "running" ||
      now - bar.since > (said.eta?.high ?? 0) * 1000;
    always((seen) =>
      seen.every(
        (each) => !stands(each) || each.bar.shown === Math.max(each.before?.shown ?? 0, each.said.progress),
      ),
    );
  });
});
