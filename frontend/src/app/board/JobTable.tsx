/** Jobs in a table, of which some can be picked. */
import {
  isDone,
  type Job,
  outlookInWords,
  secondsInWords,
  stateInWords,
  typeInWords,
  useBar,
} from "@loresmith/react";
import { Link } from "wouter";
import { jobPath } from "../routes";

export interface JobTableProps {
  jobs: readonly Job[];
  now: number;
  /** Whether the last look at them failed. */
  isLost: boolean;
  picked: ReadonlySet<string>;
  onPick: (ids: ReadonlySet<string>) => void;
}

export function JobTable({ jobs, now, isLost, picked, onPick }: JobTableProps) {
  const areAll = jobs.length > 0 && jobs.every(({ id }) => picked.has(id));
  return (
    <table className="jobs">
      <thead>
        <tr>
          <th>
            <input
              type="checkbox"
              aria-label="Pick all"
              checked={areAll}
              onChange={() => onPick(new Set(areAll ? [] : jobs.map(({ id }) => id)))}
            />
          </th>
          <th>Job</th>
          <th>State</th>
          <th className="wide">Progress</th>
          <th>Time</th>
          <th>Tries</th>
          <th>Tokens</th>
          <th>Cost</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <Row
            key={job.id}
            job={job}
            now={now}
            isLost={isLost}
            isPicked={picked.has(job.id)}
            onPick={() => onPick(toggled(picked, job.id))}
          />
        ))}
      </tbody>
    </table>
  );
}

function toggled(picked: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(picked);
  if (!next.delete(id)) next.add(id);
  return next;
}

function Row({
  job,
  now,
  isLost,
  isPicked,
  onPick,
}: {
  job: Job;
  now: number;
  isLost: boolean;
  isPicked: boolean;
  onPick: () => void;
}) {
  const name = typeInWords(job.type);
  return (
    <tr data-status={job.status} data-picked={isPicked}>
      <td>
        <input
          type="checkbox"
          aria-label={`Pick ${name} ${job.id.slice(0, 8)}`}
          checked={isPicked}
          onChange={onPick}
        />
      </td>
      <th scope="row">
        <Link href={jobPath(job.id)}>{name}</Link>
        <small translate="no">{job.id.slice(0, 8)}</small>
      </th>
      <td data-label="State">
        <span className="tag" data-status={job.status}>
          {stateInWords(job)}
        </span>
      </td>
      <td data-label="Progress" className="wide">
        <Progress job={job} isLost={isLost} />
      </td>
      <td data-label="Time">{timeOf(job, now)}</td>
      <td data-label="Tries">{triesOf(job)}</td>
      <td data-label="Tokens">{tokensOf(job)}</td>
      <td data-label="Cost">{costOf(job)}</td>
    </tr>
  );
}

function Progress({ job, isLost }: { job: Job; isLost: boolean }) {
  const view = useBar(job, isLost);
  const percent = `${Math.floor(view.percent)} %`;
  return (
    <>
      <span className="mini" aria-hidden="true">
        <span style={{ transform: `scaleX(${view.percent / 100})` }} />
      </span>
      <small>
        {isDone(job)
          ? (job.error ?? percent)
          : [percent, outlookInWords(job, view)].filter(Boolean).join(" · ")}
      </small>
    </>
  );
}

export function timeOf(job: Job, now: number): string {
  if (!job.started_at)
    return isDone(job) ? "–" : `waits ${secondsInWords((now - Date.parse(job.created_at)) / 1000)}`;
  const end = job.completed_at ? Date.parse(job.completed_at) : now;
  return secondsInWords((end - Date.parse(job.started_at)) / 1000);
}

export const triesOf = ({ attempt, max_attempts }: Job): string =>
  attempt === undefined ? "–" : `${attempt} of ${max_attempts ?? attempt}`;

export function tokensOf({ usage }: Job): string {
  return usage ? (usage.input_tokens + usage.output_tokens).toLocaleString() : "–";
}

export function costOf({ usage }: Job): string {
  return usage?.cost_usd ? `$${usage.cost_usd.toFixed(usage.cost_usd < 0.1 ? 4 : 2)}` : "–";
}
