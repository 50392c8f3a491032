/** Jobs in words. */
import { isCancelled, isDone, isGone } from "../client/rules.js";
import type { Job } from "../types.js";

/** `generate_characters` as “Generate characters”. */
export function typeInWords(type: string): string {
  const words = type.replaceAll(/[_.-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function stateInWords(job: Job): string {
  if (isGone(job)) return "Expired";
  if (isCancelled(job)) return "Cancelled";
  if (job.status === "completed") return "Completed";
  if (job.status === "failed") return "Failed";
  if (job.state === "cancelling") return "Stopping";
  if (job.state === "retrying") return "Trying again";
  if (job.state === "scheduled") return "Scheduled";
  return job.status === "pending" ? "Waiting" : "Running";
}

export function secondsInWords(seconds: number): string {
  if (seconds < 1) return "under 1 s";
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return inTwo(minutes, "min", Math.round(seconds) % 60, "s");
  return inTwo(Math.floor(minutes / 60), "h", minutes % 60, "min");
}

const inTwo = (much: number, unit: string, rest: number, small: string): string =>
  rest === 0 ? `${much} ${unit}` : `${much} ${unit} ${rest} ${small}`;

const ORDINALS = "next second third fourth fifth sixth seventh eighth ninth tenth".split(" ");

/** What is known of the time at which a job is shown; see `BarView`. */
export interface Moment {
  /** Seconds since the server said it. */
  aged: number;
  /** ms */
  at: number;
}

/**
 * What else there is to say of a job that is open: its place in the queue, or the time that it will take.
 *
 * The command line says the same; tests/outlook.json has examples for both.
 */
export function outlookInWords(job: Job, { aged, at }: Moment): string {
  if (isDone(job)) return "";
  if (job.status === "pending") return job.queue ? placeInWords(job.queue, at) : "";
  if (!job.eta || job.eta.high <= aged) return "";
  const low = rounded(Math.max(0, job.eta.low - aged), Math.floor);
  const high = rounded(job.eta.high - aged, Math.ceil);
  const [from, to] = [spanOf(low), spanOf(high)];
  if (low === high) return `about ${to.join(" ")} left`;
  return `about ${from[1] === to[1] ? from[0] : from.join(" ")} to ${to.join(" ")} left`;
}

function placeInWords({ position, expected_start }: NonNullable<Job["queue"]>, at: number): string {
  const place = `${ORDINALS[position - 1] ?? `number ${position}`} in the queue`;
  if (expected_start === null) return place;
  const seconds = (Date.parse(expected_start) - at) / 1000;
  if (seconds < 0.5) return `${place}, starts any moment`;
  return `${place}, starts in about ${spanOf(rounded(seconds, (each) => Math.floor(each + 0.5))).join(" ")}`;
}

/** To whole seconds under 10 s, to 5 s under a minute, to minutes under an hour, to hours. */
function rounded(seconds: number, round: (value: number) => number): number {
  const step = seconds < 10 ? 1 : seconds < 60 ? 5 : seconds < 3600 ? 60 : 3600;
  return Math.max(1, round(seconds / step) * step);
}

function spanOf(seconds: number): [number, string] {
  if (seconds < 60) return [seconds, "s"];
  return seconds < 3600 ? [seconds / 60, "min"] : [seconds / 3600, "h"];
}

/** The whole of it in one sentence, for those who do not see the bar. */
export function progressInWords(job: Job, view: Moment & { percent: number }): string {
  return [`${Math.floor(view.percent)} percent`, job.message, outlookInWords(job, view)]
    .filter(Boolean)
    .join(", ");
}
