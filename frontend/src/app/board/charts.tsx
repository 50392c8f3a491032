/** Small charts: throughput, latency, failures. Each says in words what it shows. */
import { secondsInWords, typeInWords } from "@/components/jobs/wording";
import type { Job } from "@/lib/jobs/types";
import type { Stats } from "../api";

const MINUTES = 30;

/** Ended jobs per minute, over the last half hour of those that are listed. */
export function Throughput({
  jobs,
  now,
  perMinute,
}: {
  jobs: readonly Job[];
  now: number;
  perMinute: number;
}) {
  const counts = Array.from({ length: MINUTES }, () => 0);
  for (const { completed_at } of jobs) {
    const ago = completed_at ? Math.floor((now - Date.parse(completed_at)) / 60_000) : MINUTES;
    if (ago >= 0 && ago < MINUTES) counts[MINUTES - 1 - ago] = (counts[MINUTES - 1 - ago] ?? 0) + 1;
  }
  const most = Math.max(1, ...counts);
  return (
    <figure className="chart">
      <figcaption>
        Throughput <b>{perMinute} a minute</b>
      </figcaption>
      <svg
        viewBox={`0 0 ${MINUTES * 10} 60`}
        role="img"
        aria-label={`${perMinute} jobs ended per minute over the last 5 minutes`}
        preserveAspectRatio="none"
      >
        {counts.map((count, at) => (
          <rect
            key={at}
            x={at * 10 + 1}
            width={8}
            y={60 - Math.max(1, (count / most) * 58)}
            height={Math.max(1, (count / most) * 58)}
            data-empty={count === 0}
          />
        ))}
      </svg>
      <p className="hint">The last {MINUTES} minutes, a bar each</p>
    </figure>
  );
}

export function Latency({ types }: { types: Stats["types"] }) {
  const rows = Object.entries(types).filter(([, { run_seconds }]) => run_seconds.p50 !== null);
  const longest = Math.max(1, ...rows.map(([, { run_seconds }]) => run_seconds.p95 ?? 0));
  return (
    <figure className="chart">
      <figcaption>
        Run time <b>median and 95 %</b>
      </figcaption>
      {rows.length === 0 && <p className="hint">No job has ended yet</p>}
      {rows.map(
        ([
          name,
          {
            run_seconds: { p50, p95 },
          },
        ]) => (
          <div key={name} className="spread">
            <span>{typeInWords(name)}</span>
            <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
              <rect className="wide" width={((p95 ?? 0) / longest) * 100} height={6} />
              <rect width={((p50 ?? 0) / longest) * 100} height={6} />
            </svg>
            <span className="figure">
              {secondsInWords(p50 ?? 0)} · {secondsInWords(p95 ?? 0)}
            </span>
          </div>
        ),
      )}
    </figure>
  );
}

export function Failures({ types }: { types: Stats["types"] }) {
  const rows = Object.entries(types);
  const total = rows.reduce((sum, [, { completed, failed }]) => sum + completed + failed, 0);
  const failed = rows.reduce((sum, [, each]) => sum + each.failed, 0);
  return (
    <figure className="chart">
      <figcaption>
        Failed or cancelled{" "}
        <b>
          {failed} of {total}
        </b>
      </figcaption>
      {rows.map(([name, each]) => (
        <div key={name} className="spread">
          <span>{typeInWords(name)}</span>
          <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
            <rect className="ground" width={100} height={6} />
            <rect
              className="bad"
              width={(each.failed / Math.max(1, each.completed + each.failed)) * 100}
              height={6}
            />
          </svg>
          <span className="figure">
            {each.failed} of {each.completed + each.failed}
          </span>
        </div>
      ))}
    </figure>
  );
}
