"use client";
/** What a user of the package writes: copied into fresh apps by packed.spec.ts. */
import { JobProgressSpinner, useJob, useJobs, useJobStatus } from "@loresmith/react";

interface Relic {
  name: string;
  description: string;
}

export function Relics() {
  const { submit, job, items, isPolling, isCompleted, submitError, connectionError } = useJob<Relic[]>({
    type: "generate_relics",
    key: "relics",
    onError: (error) => console.error(error),
  });
  const { jobs } = useJobs(job ? [job.id] : []);
  const problem = submitError ?? connectionError;
  return (
    <main>
      <button disabled={isPolling} onClick={() => void submit({ theme: "fantasy" }).catch(() => undefined)}>
        Forge
      </button>
      <JobProgressSpinner job={job} />
      <ul>
        {items.map(({ name, description }) => (
          <li key={name} title={description}>
            {name}
          </li>
        ))}
      </ul>
      {isCompleted && <output>{job?.id}</output>}
      <p>{jobs.length} read</p>
      {problem && <p role="alert">{problem.message}</p>}
    </main>
  );
}

export function Status({ id }: { id: string }) {
  const { job } = useJobStatus<Relic[]>(id);
  return <h1>{job ? `${job.type}: ${job.status}` : "not known"}</h1>;
}
