/** Jobs in words. */
import { isCancelled, isDone, isGone } from "@/lib/jobs/rules";
import type { Job } from "@/lib/jobs/types";

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
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What else there is to say of a job that is open: its place in the queue, or the time it will take. */
export function outlookInWords(job: Job): string {
  if (isDone(job)) return "";
  if (job.status === "pending" && job.queue)
    return job.queue.position > 1 ? `number ${job.queue.position} in line` : "next in line";
  return job.eta ? `about ${secondsInWords(job.eta.seconds)} left` : "";
}

/** The whole of it in one sentence, for those who do not see the bar. */
export function progressInWords(job: Job): string {
  return [`${job.progress} percent`, job.message, outlookInWords(job)].filter(Boolean).join(", ");
}
