/** All jobs as they are now: what waits, what runs, what came of the rest. */
import { isDone, type Job, typeInWords, useJobActions, useOwnJobIds } from "@loresmith/react";
import { useState } from "react";
import { Link } from "wouter";
import { useAccess } from "../access";
import { type Filter, useForgetJob, useJobList, useJobTypes, useStats } from "../api";
import { Failures, Latency, Throughput } from "../board/charts";
import { Fleet } from "../board/Fleet";
import { JobTable } from "../board/JobTable";
import { ROUTES } from "../routes";
import { useNow } from "../ui/clock";
import { Broken, Empty, Loading } from "../ui/States";
import { useTitle } from "../ui/title";
import { toast } from "../ui/Toasts";

const MOST = 100;
const LIMITS = [25, 50, MOST];
const ANY: Filter = { status: "", type: "" };
const STATUSES = ["pending", "processing", "completed", "failed"];

export function BoardPage() {
  useTitle("Jobs");
  const [filter, setFilter] = useState(ANY);
  const [limit, setLimit] = useState(25);
  const [isOwn, setOwn] = useState(false);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const { data, error, refetch } = useJobList(filter, limit);
  const ids = new Set(useOwnJobIds());
  const latest = useJobList(ANY, MOST);
  const stats = useStats();
  const now = useNow(true);
  if (!data) return error ? <Broken error={error} onRetry={refetch} /> : <Loading what="the jobs" />;
  const jobs = isOwn ? data.data.filter(({ id }) => ids.has(id)) : data.data;
  return (
    <div className="board">
      <header className="page-head">
        <h1>Jobs</h1>
        <Filters filter={filter} onFilter={setFilter} isOwn={isOwn} onOwn={setOwn} />
      </header>
      {stats.data && (
        <section className="figures" aria-label="Figures">
          <Fleet stats={stats.data} />
          <Throughput jobs={latest.data?.data ?? []} now={now} />
          <Latency jobs={latest.data?.data ?? []} />
          <Failures jobs={latest.data?.data ?? []} />
        </section>
      )}
      <Bulk jobs={jobs.filter(({ id }) => picked.has(id))} onDone={() => setPicked(new Set())} />
      {jobs.length === 0 ? (
        <NoJobs isFiltered={isOwn || filter.status !== "" || filter.type !== ""} />
      ) : (
        <JobTable jobs={jobs} now={now} isLost={error !== null} picked={picked} onPick={setPicked} />
      )}
      {data.next_cursor && limit < MOST && (
        <button
          type="button"
          className="quiet"
          onClick={() => setLimit(LIMITS.find((each) => each > limit) ?? limit)}
        >
          Show more
        </button>
      )}
    </div>
  );
}

interface FiltersProps {
  filter: Filter;
  onFilter: (filter: Filter) => void;
  isOwn: boolean;
  onOwn: (isOwn: boolean) => void;
}

function Filters({ filter, onFilter, isOwn, onOwn }: FiltersProps) {
  const types = useJobTypes();
  const { key, admin } = useAccess();
  return (
    <div className="tools">
      <select
        aria-label="Whose jobs"
        value={isOwn ? "own" : "all"}
        onChange={({ target }) => onOwn(target.value === "own")}
      >
        <option value="all">{key !== null && !admin ? "Mine" : "Everybody’s"}</option>
        <option value="own">From this browser</option>
      </select>
      <select
        aria-label="Status"
        value={filter.status}
        onChange={({ target }) => onFilter({ ...filter, status: target.value })}
      >
        <option value="">Any status</option>
        {STATUSES.map((each) => (
          <option key={each} value={each}>
            {typeInWords(each)}
          </option>
        ))}
      </select>
      <select
        aria-label="Kind of job"
        value={filter.type}
        onChange={({ target }) => onFilter({ ...filter, type: target.value })}
      >
        <option value="">Any kind</option>
        {types.data?.map(({ name }) => (
          <option key={name} value={name}>
            {typeInWords(name)}
          </option>
        ))}
      </select>
    </div>
  );
}

function Bulk({ jobs, onDone }: { jobs: readonly Job[]; onDone: () => void }) {
  const { cancel, retry } = useJobActions();
  const forget = useForgetJob();
  if (jobs.length === 0) return null;
  const open = jobs.filter((job) => !isDone(job));
  const failed = jobs.filter(({ status }) => status === "failed");
  const ended = jobs.filter(isDone);
  const act = async (verb: string, chosen: readonly Job[], how: (id: string) => Promise<unknown>) => {
    const outcomes = await Promise.allSettled(chosen.map(({ id }) => how(id)));
    const refused = outcomes.filter(({ status }) => status === "rejected").length;
    toast(`${verb} ${chosen.length - refused}${refused > 0 ? `, ${refused} refused` : ""}`);
    onDone();
  };
  return (
    <div className="bulk" role="toolbar" aria-label="What to do with the picked jobs">
      <b>{jobs.length} picked</b>
      {open.length > 0 && (
        <button type="button" onClick={() => void act("Stopped", open, cancel)}>
          Stop {open.length}
        </button>
      )}
      {failed.length > 0 && (
        <button type="button" onClick={() => void act("Retried", failed, retry)}>
          Retry {failed.length}
        </button>
      )}
      {ended.length > 0 && (
        <button
          type="button"
          className="quiet"
          onClick={() => void act("Deleted", ended, forget.mutateAsync)}
        >
          Delete {ended.length}
        </button>
      )}
    </div>
  );
}

function NoJobs({ isFiltered }: { isFiltered: boolean }) {
  return (
    <Empty isPart title={isFiltered ? "No job is like that" : "No jobs yet"}>
      <p>Jobs stay here for a day after they ended.</p>
      <Link className="button" href={ROUTES.submit}>
        New job
      </Link>
    </Empty>
  );
}
