"use client";
/** Why a job failed, and what can be done about it. */
import { useState } from "react";
import { isCancelled, isGone } from "../client/rules.js";
import type { Job } from "../types.js";
import { typeInWords } from "./wording.js";

const ADVICE: Record<string, string> = {
  provider_rate_limited: "The model is asked too often at the moment. A little later it will answer again.",
  provider_unavailable: "The model does not answer. It is usually back within minutes.",
  provider_timeout: "The model took too long. Trying again often helps.",
  provider_auth: "The server may not use this model: its key needs attention.",
  content_refused: "The model would not write this. Another theme may do.",
  output_invalid: "What the model wrote was not usable. Trying again often helps.",
  context_too_long: "There was more to read than the model can take. Shorter texts may do.",
  budget_exceeded: "The budget for today is used up.",
  deadline_exceeded: "It was not done in the time that it had.",
  worker_lost: "The program that worked on it died, several times. Finished parts were kept.",
  storage_unavailable: "What was written could not be saved. A retry goes on from there.",
};

export interface JobErrorCardProps {
  job: Job;
  onRetry?: () => Promise<unknown>;
  onDismiss?: () => void;
  /** Of its heading: one below that of what it is in. */
  level?: 2 | 3;
}

export default function JobErrorCard({ job, onRetry, onDismiss, level = 3 }: JobErrorCardProps) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const kept = job.items?.length ?? 0;
  const retry = async () => {
    setBusy(true);
    setProblem("");
    await onRetry?.().catch((error: unknown) =>
      setProblem(error instanceof Error ? error.message : String(error)),
    );
    setBusy(false);
  };
  const cancelled = isCancelled(job);
  const Heading = `h${level}` as const;
  return (
    <section className="ls-error-card" data-tone={cancelled || isGone(job) ? "calm" : "failed"} role="alert">
      <Heading>
        {cancelled ? "You stopped this" : isGone(job) ? "Too long ago" : `${typeInWords(job.type)} failed`}
      </Heading>
      {!cancelled && <p>{job.error}</p>}
      <p className="ls-advice">{adviceFor(job, kept)}</p>
      {problem && <p className="ls-error">{problem}</p>}
      <div className="ls-actions">
        {onRetry && !isGone(job) && (
          <button type="button" className="ls-button" disabled={isBusy} onClick={() => void retry()}>
            {kept > 0 ? "Go on from there" : "Try again"}
          </button>
        )}
        {onDismiss && (
          <button type="button" className="ls-button ls-quiet" onClick={onDismiss}>
            Put away
          </button>
        )}
      </div>
    </section>
  );
}

function adviceFor(job: Job, kept: number): string {
  const keptInWords = kept === 0 ? "" : ` What was finished (${kept}) is kept.`;
  return (ADVICE[job.error_detail?.code ?? ""] ?? "") + keptInWords;
}
