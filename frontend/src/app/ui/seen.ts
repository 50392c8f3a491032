/** Whose end was seen on a page of its own need not be told in the tray. */
import { useEffect } from "react";
import { isDone } from "@/lib/jobs/rules";
import type { Job } from "@/lib/jobs/types";
import { useActiveJobs } from "@/lib/queries/jobs";

export function useSeen(job: Job | undefined): void {
  const { dismiss } = useActiveJobs();
  const endedId = job && isDone(job) ? job.id : undefined;
  useEffect(() => {
    if (endedId !== undefined) dismiss(endedId);
  }, [endedId, dismiss]);
}
