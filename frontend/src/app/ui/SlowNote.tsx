/** Says so when a job takes much longer than such jobs do. */
import { isDone, type Job } from "@loresmith/react";
import { useJobTypes } from "../api";
import { useNow } from "./clock";

const WAITING_SECONDS = 20;
const DEFAULT_SECONDS = 30;

export function SlowNote({ job }: { job: Job }) {
  const now = useNow(!isDone(job));
  const types = useJobTypes();
  if (isDone(job)) return null;
  const expected = types.data?.find(({ name }) => name === job.type)?.expected_seconds ?? DEFAULT_SECONDS;
  const since = (now - Date.parse(job.started_at ?? job.created_at)) / 1000;
  if (job.status === "pending" ? since < WAITING_SECONDS : since < expected * 2) return null;
  return (
    <p className="slow">
      {job.status === "pending"
        ? "Others are served first. You may leave this page: it is done all the same."
        : "This takes longer than usual. You may leave this page: it is done all the same."}
    </p>
  );
}
