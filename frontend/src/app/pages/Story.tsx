/** A world that is being written: its pieces and paragraphs as they are finished, then all of it. */
import {
  isDone,
  type Job,
  JobErrorCard,
  JobProgressSpinner,
  useJobActions,
  useJobStatus,
} from "@loresmith/react";
import { Link, useLocation } from "wouter";
import { useJobPayload } from "../api";
import { isParagraph, isPiece, type Tale, taleAsMarkdown } from "../lore";
import { ROUTES, storyPath, worldPath } from "../routes";
import { Export } from "../ui/Export";
import { PieceCard } from "../ui/PieceCard";
import { SlowNote } from "../ui/SlowNote";
import { Broken, Empty, Loading } from "../ui/States";
import { Story, TaleView } from "../ui/TaleView";
import { useSeen } from "../ui/seen";
import { useTitle } from "../ui/title";

type Created = Tale & { world_id: string; warnings: string[] };

export function StoryPage({ jobId }: { jobId: string }) {
  const { job, error, refetch } = useJobStatus<Created>(jobId);
  useSeen(job);
  useTitle(job?.result?.title ?? "A story is being written");
  if (!job) {
    if (!error) return <Loading what="the story" />;
    if ("code" in error && error.code === "job_not_found") return <Expired />;
    return <Broken error={error} onRetry={refetch} />;
  }
  if (job.status === "completed" && job.result) return <Finished result={job.result} />;
  return <InTheMaking job={job} />;
}

function Expired() {
  return (
    <Empty title="This story has gone cold">
      <p>Jobs are kept for a day after they ended. What was saved is among your worlds.</p>
      <Link href={ROUTES.worlds}>My worlds</Link>
    </Empty>
  );
}

function Finished({ result }: { result: Created }) {
  return (
    <TaleView tale={result}>
      <p className="saved">
        Saved. <Link href={worldPath(result.world_id)}>This world has a page of its own</Link>
      </p>
      <Export name={result.title} markdown={() => taleAsMarkdown(result)} json={() => result} />
      {result.warnings.length > 0 && (
        <ul className="warnings" aria-label="What to know about it">
          {result.warnings.map((warning) => (
            <li key={warning}>{warning.charAt(0).toUpperCase() + warning.slice(1)}.</li>
          ))}
        </ul>
      )}
    </TaleView>
  );
}

function useChosen(jobId: string): Record<string, unknown> {
  const payload = useJobPayload(jobId).data;
  return payload && "selected_lore" in payload ? { ...payload.selected_lore } : {};
}

function InTheMaking({ job }: { job: Job }) {
  const [, navigate] = useLocation();
  const { cancel, retry } = useJobActions();
  const items = job.items ?? [];
  const chosen = useChosen(job.id);
  const pieces = [...Object.values(chosen), ...items].filter(isPiece);
  const paragraphs = items.filter(isParagraph).map(({ text }) => text);
  return (
    <article className="tale making">
      <header>
        <p className="tale-theme">In the making</p>
        <h1>{paragraphs.length > 0 ? "The story so far" : "The metal is in the fire"}</h1>
        <JobProgressSpinner job={job} />
        <SlowNote job={job} />
        {!isDone(job) && (
          <button type="button" className="quiet" onClick={() => void cancel(job.id)}>
            Stop
          </button>
        )}
        {job.status === "failed" && (
          <JobErrorCard
            level={2}
            job={job}
            onRetry={async () => navigate(storyPath((await retry(job.id)).id))}
          />
        )}
      </header>
      <Story paragraphs={paragraphs} isNew />
      {pieces.length > 0 && (
        <section className="tale-pieces" aria-label="Pieces">
          <div className="ls-cards">
            {pieces.map((piece) => (
              <PieceCard key={piece.type + piece.name} piece={piece} isNew />
            ))}
          </div>
        </section>
      )}
    </article>
  );
}
