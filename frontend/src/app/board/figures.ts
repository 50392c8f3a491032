import { isDone, type Job } from "@loresmith/react";
/** What the latest jobs come to: how many ended when, how long they ran, how many failed. */

export const MINUTES = 30;

/** Ended jobs in each of the last minutes, the present one last. */
export function endedPerMinute(jobs: readonly Job[], now: number): number[] {
  const counts = Array.from({ length: MINUTES }, () => 0);
  for (const { completed_at } of jobs) {
    if (!completed_at) continue;
    const place = MINUTES - 1 - Math.max(0, Math.floor((now - Date.parse(completed_at)) / 60_000));
    if (place >= 0) counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}

export interface TypeFigures {
  type: string;
  completed: number;
  failed: number;
  /** Seconds of the completed ones; null when there are none. */
  median: number | null;
  most: number | null;
}

export function figuresOf(jobs: readonly Job[]): TypeFigures[] {
  const types = [...new Set(jobs.filter(isDone).map(({ type }) => type))].sort();
  return types.map((type) => {
    const mine = jobs.filter((job) => job.type === type && isDone(job));
    const seconds = mine.flatMap(secondsOf).sort((a, b) => a - b);
    const failed = mine.filter(({ status }) => status === "failed").length;
    return {
      type,
      completed: mine.length - failed,
      failed,
      median: at(seconds, 0.5),
      most: at(seconds, 0.95),
    };
  });
}

function secondsOf({ status, started_at, completed_at }: Job): number[] {
  if (status !== "completed" || !started_at || !completed_at) return [];
  return [(Date.parse(completed_at) - Date.parse(started_at)) / 1000];
}

function at(sorted: readonly number[], share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}
