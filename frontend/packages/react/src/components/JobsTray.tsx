"use client";
/** The jobs of this browser, on every page: those under way, and those that ended since one looked. */
import { type ReactNode, useState } from "react";
import { isGone } from "../client/rules.js";
import { useActiveJobs, useJobActions } from "../hooks/jobs.js";
import type { Job } from "../types.js";
import JobProgressSpinner from "./JobProgressSpinner.js";
import { typeInWords } from "./wording.js";

export interface JobsTrayProps {
  /** Makes a link to where a job is shown. */
  link: (job: Job, text: string) => ReactNode;
  /** Tells which jobs the page shows by itself: the tray leaves those out. */
  isOnPage?: (job: Job) => boolean;
}

export default function JobsTray({ link, isOnPage = () => false }: JobsTrayProps) {
  const active = useActiveJobs();
  const [isOpen, setOpen] = useState(false);
  const { dismiss } = active;
  const jobs = active.jobs.filter((job) => !isOnPage(job));
  const shown = active.ended.filter((job) => !isGone(job) && !isOnPage(job));
  if (jobs.length + shown.length === 0) return null;
  return (
    <aside className="ls-tray" aria-label="Your jobs">
      <button
        type="button"
        className="ls-tray-toggle"
        aria-expanded={isOpen}
        aria-controls="ls-tray-list"
        onClick={() => setOpen(!isOpen)}
      >
        {jobs.length > 0 && <span className="ls-spinner" aria-hidden="true" />}
        <span>{inWords(jobs.length, shown.length)}</span>
      </button>
      <div id="ls-tray-list" className="ls-tray-list" hidden={!isOpen}>
        {[...jobs, ...shown].map((job) => (
          <TrayJob key={job.id} job={job} link={link} onDismiss={() => dismiss(job.id)} />
        ))}
        {shown.length > 1 && (
          <button
            type="button"
            className="ls-button ls-quiet"
            onClick={() => shown.forEach((job) => dismiss(job.id))}
          >
            Put away all that ended
          </button>
        )}
      </div>
    </aside>
  );
}

function TrayJob({
  job,
  link,
  onDismiss,
}: Pick<JobsTrayProps, "link"> & { job: Job; onDismiss: () => void }) {
  const { cancel, retry } = useJobActions();
  const name = typeInWords(job.type);
  const isOpen = job.status === "pending" || job.status === "processing";
  return (
    <div className="ls-tray-job">
      <div className="ls-tray-head">
        {link(job, name)}
        {job.status === "failed" && (
          <Action name={`Retry ${name}`} text="Retry" act={() => retry(job.id).then(onDismiss)} />
        )}
        {isOpen ? (
          <Action name={`Stop ${name}`} text="Stop" act={() => cancel(job.id)} />
        ) : (
          <Action name={`Put ${name} away`} text="Put away" act={onDismiss} />
        )}
      </div>
      <JobProgressSpinner job={job} />
    </div>
  );
}

function Action({ name, text, act }: { name: string; text: string; act: () => unknown }) {
  const [isBusy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      await act();
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      className="ls-link"
      aria-label={name}
      disabled={isBusy}
      onClick={() => void run().catch(() => undefined)}
    >
      {text}
    </button>
  );
}

function inWords(open: number, ended: number): string {
  const parts = [open > 0 && `${open} under way`, ended > 0 && `${ended} ended`];
  return parts.filter(Boolean).join(", ");
}
