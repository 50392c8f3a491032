/** One job: how it stands, what happened when, and what came of it. */
import {
  isDone,
  isGone,
  type Job,
  JobErrorCard,
  JobProgressSpinner,
  secondsInWords,
  stateInWords,
  typeInWords,
  useJobActions,
  useJobStatus,
} from "@loresmith/react";
import { Link, useLocation } from "wouter";
import { costOf, timeOf, tokensOf, triesOf } from "../board/JobTable";
import { isPiece, pieceAsMarkdown } from "../lore";
import { asJson } from "../markdown";
import { MAKES_WORLDS } from "../base";
import { jobPath, ROUTES, storyPath } from "../routes";
import { useNow } from "../ui/clock";
import { Export } from "../ui/Export";
import { PieceCard } from "../ui/PieceCard";
import { SlowNote } from "../ui/SlowNote";
import { Broken, Empty, Loading } from "../ui/States";
import { useSeen } from "../ui/seen";
import { useTitle } from "../ui/title";

export function JobPage({ jobId }: { jobId: string }) {
  const { job, items, connection, error, refetch } = useJobStatus(jobId);
  const { cancel, retry } = useJobActions();
  const [, navigate] = useLocation();
  const now = useNow(job !== undefined && !isDone(job));
  useSeen(job);
  useTitle(job ? typeInWords(job.type) : "Job");
  if (!job) {
    if (!error) return <Loading what="the job" />;
    return "code" in error && error.code === "job_not_found" ? (
      <Unknown />
    ) : (
      <Broken error={error} onRetry={refetch} />
    );
  }
  const name = typeInWords(job.type);
  return (
    <div className="job">
      <header className="page-head">
        <div>
          <p className="tale-theme">
            {stateInWords(job)}
            {connection === "live" && " · live"}
            {(connection === "reconnecting" || connection === "offline") && " · not connected"}
          </p>
          <h1>{name}</h1>
        </div>
        <div className="tools">
          {MAKES_WORLDS && job.type === "create_world" && !isGone(job) && (
            <Link href={storyPath(job.id)}>Read it</Link>
          )}
          {!isDone(job) && (
            <button type="button" className="quiet" onClick={() => void cancel(job.id)}>
              Stop
            </button>
          )}
        </div>
      </header>
      {!isDone(job) && <JobProgressSpinner job={job} />}
      <SlowNote job={job} />
      {job.status === "failed" && (
        <JobErrorCard level={2} job={job} onRetry={async () => navigate(jobPath((await retry(job.id)).id))} />
      )}
      <div className="job-columns">
        <TimeLine job={job} now={now} />
        <Facts job={job} now={now} />
      </div>
      <Result job={job} items={items} />
    </div>
  );
}

function Unknown() {
  return (
    <Empty title="No job has this id">
      <p>Jobs are kept for a day after they ended.</p>
      <Link href={ROUTES.jobs}>All jobs</Link>
    </Empty>
  );
}

function TimeLine({ job, now }: { job: Job; now: number }) {
  const moments: [string, string | null | undefined][] = [
    ["Submitted", job.created_at],
    ["Due", job.run_at],
    ["Started", job.started_at],
    [isDone(job) ? stateInWords(job) : "Last change", job.completed_at ?? job.updated_at],
    ["Will be forgotten", job.expires_at],
  ];
  const start = Date.parse(job.created_at);
  return (
    <section aria-labelledby="line">
      <h2 id="line">What happened when</h2>
      <ol className="line">
        {moments.map(([what, at]) =>
          at ? (
            <li key={what} data-future={Date.parse(at) > now}>
              <b>{what}</b>
              <time dateTime={at}>{new Date(at).toLocaleTimeString()}</time>
              <small>
                {at === job.created_at ? "" : `after ${secondsInWords((Date.parse(at) - start) / 1000)}`}
              </small>
            </li>
          ) : null,
        )}
      </ol>
    </section>
  );
}

function Facts({ job, now }: { job: Job; now: number }) {
  const facts: [string, string | undefined][] = [
    ["Id", job.id],
    ["Time", timeOf(job, now)],
    ["Tries", triesOf(job)],
    ["Taken over from dead workers", job.rescues ? String(job.rescues) : undefined],
    ["Priority", job.priority],
    ["Tokens", tokensOf(job)],
    ["Cost", costOf(job)],
    ["Model", job.usage?.model ?? undefined],
    ["Progress", job.progress_source],
    ["Tags", job.tags?.join(", ")],
    ["Goes on with", job.retry_of ?? undefined],
  ];
  return (
    <section aria-labelledby="facts">
      <h2 id="facts">Facts</h2>
      <dl className="facts">
        {facts.map(([name, value]) =>
          value ? (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ) : null,
        )}
      </dl>
    </section>
  );
}

function Result({ job, items }: { job: Job; items: readonly unknown[] }) {
  const made = job.result ?? items;
  if (Array.isArray(made) && made.length === 0) return null;
  const pieces = items.filter(isPiece);
  const json = JSON.stringify(made, null, 2);
  const markdown = () =>
    pieces.length > 0 ? pieces.map(pieceAsMarkdown).join("\n\n") : `\`\`\`json\n${asJson(made)}\n\`\`\``;
  return (
    <section aria-labelledby="result">
      <header className="page-head">
        <h2 id="result">{isDone(job) ? "Result" : "So far"}</h2>
        <Export name={typeInWords(job.type)} markdown={markdown} json={() => made} />
      </header>
      {pieces.length > 0 ? (
        <div className="ls-cards">
          {pieces.map((piece) => (
            <PieceCard key={piece.name} piece={piece} isNew={!isDone(job)} />
          ))}
        </div>
      ) : (
        <pre>{json}</pre>
      )}
    </section>
  );
}
