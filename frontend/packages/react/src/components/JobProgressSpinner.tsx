"use client";
/** One job's progress: a spinner, a bar, what is going on, and why it failed. */
import type { BarView } from "../progress/bars.js";
import { isCancelled, isDone } from "../client/rules.js";
import type { Job } from "../types.js";
import { useBar } from "../progress/useBar.js";
import { QUIET_MS, useHeld, VALUE_MS } from "./announce.js";
import { outlookInWords, progressInWords, stateInWords, typeInWords } from "./wording.js";

export interface JobProgressSpinnerProps {
  job: Job | null | undefined;
  showProgress?: boolean;
  showMessage?: boolean;
  className?: string;
}

export default function JobProgressSpinner({
  job,
  showProgress = true,
  showMessage = true,
  className = "",
}: JobProgressSpinnerProps) {
  if (!job) return null;
  return (
    <Shown
      key={job.id}
      job={job}
      showProgress={showProgress}
      showMessage={showMessage}
      className={className}
    />
  );
}

function Shown({
  job,
  showProgress,
  showMessage,
  className,
}: Required<JobProgressSpinnerProps> & { job: Job }) {
  const done = isDone(job);
  const view = useBar(job);
  const sentence = done
    ? [stateInWords(job), job.error].filter(Boolean).join(": ")
    : progressInWords(job, view);
  const value = useHeld(sentence, done, VALUE_MS);
  const announced = useHeld(`${typeInWords(job.type)}: ${sentence}`, done, QUIET_MS);
  const tone = job.status === "failed" ? (isCancelled(job) ? "cancelled" : "failed") : job.status;
  return (
    <div className={`ls-progress ${className}`} data-tone={tone}>
      <div className="ls-progress-line">
        {!done && <span className="ls-spinner" aria-hidden="true" />}
        {showMessage && <span className="ls-message">{done ? stateInWords(job) : job.message}</span>}
        {showProgress && !done && <Figures job={job} view={view} />}
      </div>
      {showProgress && job.status !== "failed" && (
        <div
          role="progressbar"
          className="ls-bar"
          aria-label={typeInWords(job.type)}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={done ? job.progress : Number.parseInt(value)}
          aria-valuetext={value}
        >
          <span className="ls-bar-done" style={{ transform: `scaleX(${view.percent / 100})` }} />
        </div>
      )}
      {job.status === "failed" && job.error && <p className="ls-error">{job.error}</p>}
      <div className="ls-hidden" aria-live="polite">
        {announced}
      </div>
    </div>
  );
}

function Figures({ job, view }: { job: Job; view: BarView }) {
  const outlook = outlookInWords(job, view);
  return (
    <span className="ls-figures">
      <span>{outlook}</span>
      <b translate="no">{`${Math.floor(view.percent)} %`}</b>
    </span>
  );
}
