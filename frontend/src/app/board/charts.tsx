/** Small charts: throughput, latency, failures. Each says in words what it shows. */
import { type Job, secondsInWords, typeInWords } from "@loresmith/react";
import { endedPerMinute, figuresOf, MINUTES } from "./figures";

const HIGH = 60;

export function Throughput({ jobs, now }: { jobs: readonly Job[]; now: number }) {
  const counts = endedPerMinute(jobs, now);
  const most = Math.max(1, ...counts);
  const lately = counts.slice(-5).reduce((sum, count) => sum + count, 0) / 5;
  return (
    <figure className="chart">
      <figcaption>
        Throughput <b>{lately.toFixed(1)} a minute</b>
      </figcaption>
      <svg
        viewBox={`0 0 ${MINUTES * 10} ${HIGH}`}
        role="img"
        aria-label={`${lately.toFixed(1)} jobs ended per minute over the last 5 minutes`}
        preserveAspectRatio="none"
      >
        {counts.map((count, place) => {
          const height = Math.max(1, (count / most) * HIGH);
          return (
            <rect
              key={place}
              x={place * 10 + 1}
              width={8}
              y={HIGH - height}
              height={height}
              data-empty={count === 0}
            />
          );
        })}
      </svg>
      <p className="hint">The last {MINUTES} minutes, a bar each</p>
    </figure>
  );
}

export function Latency({ jobs }: { jobs: readonly Job[] }) {
  const rows = figuresOf(jobs).filter(({ median }) => median !== null);
  const longest = Math.max(1, ...rows.map(({ most }) => most ?? 0));
  return (
    <figure className="chart">
      <figcaption>
        Run time <b>median and 95 %</b>
      </figcaption>
      {rows.length === 0 && <p className="hint">No job was completed yet</p>}
      {rows.map(({ type, median, most }) => (
        <div key={type} className="spread">
          <span>{typeInWords(type)}</span>
          <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
            <rect className="wide" width={((most ?? 0) / longest) * 100} height={6} />
            <rect width={((median ?? 0) / longest) * 100} height={6} />
          </svg>
          <span className="figure">
            {secondsInWords(median ?? 0)} · {secondsInWords(most ?? 0)}
          </span>
        </div>
      ))}
    </figure>
  );
}

export function Failures({ jobs }: { jobs: readonly Job[] }) {
  const rows = figuresOf(jobs);
  const failed = rows.reduce((sum, row) => sum + row.failed, 0);
  const total = rows.reduce((sum, row) => sum + row.completed, failed);
  return (
    <figure className="chart">
      <figcaption>
        Failed or cancelled{" "}
        <b>
          {failed} of {total}
        </b>
      </figcaption>
      {rows.map((row) => (
        <div key={row.type} className="spread">
          <span>{typeInWords(row.type)}</span>
          <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
            <rect className="ground" width={100} height={6} />
            <rect className="bad" width={(row.failed / (row.completed + row.failed)) * 100} height={6} />
          </svg>
          <span className="figure">
            {row.failed} of {row.completed + row.failed}
          </span>
        </div>
      ))}
    </figure>
  );
}
