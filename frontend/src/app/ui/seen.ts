/** Whose end was seen on a page of its own need not be told in the tray. */
import { isDone, type Job, useActiveJobs } from "@loresmith/react";
import { useEffect } from "react";

export function useSeen(job: Job | undefined): void {
  const { dismiss } = useActiveJobs();
  const endedId = job && isDone(job) ? job.id : undefined;
  useEffect(() => {
    if (endedId !== undefined) dismiss(endedId);
  }, [endedId, dismiss]);
}
