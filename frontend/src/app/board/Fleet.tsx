/** The queue and who works on it. */
import type { Stats } from "../api";

export function Fleet({ stats }: { stats: Stats }) {
  return (
    <div className="fleet">
      {stats.queues.map((queue) => (
        <dl key={queue.name}>
          <Figure name="Waiting" value={queue.depth.high + queue.depth.normal + queue.depth.low} />
          <Figure name="Running" value={queue.running} />
          <Figure name="Scheduled" value={queue.scheduled} />
          <Figure name="Open in all" value={queue.open} />
          {queue.paused && <Figure name="Queue" value="paused" />}
        </dl>
      ))}
      <ul aria-label="Workers">
        {stats.workers.length === 0 && <li>No worker is there: jobs wait until one comes.</li>}
        {stats.workers.map(({ id, host, running, concurrency }) => (
          <li key={id}>
            <span>Worker on {host}</span>
            <meter min={0} max={concurrency} value={running} aria-label={`Worker on ${host}`} />
            <span className="figure">
              {running} of {concurrency}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Figure({ name, value }: { name: string; value: number | string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
