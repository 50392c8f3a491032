/** Time limits: `AbortSignal.any` and `.timeout` are missing in browsers of 2023, and ignore fake clocks. */

export interface Limit {
  signal: AbortSignal;
  restart: (ms: number) => void;
  end: () => void;
}

/** Return a signal that aborts with another, after a time, or at the end. */
export function startLimit(ms: number, outer: AbortSignal | undefined): Limit {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    clearTimeout(timer);
    outer?.removeEventListener("abort", end);
    controller.abort(outer?.reason);
  };
  const restart = (again: number) => {
    clearTimeout(timer);
    timer = setTimeout(end, again);
  };
  outer?.addEventListener("abort", end);
  if (outer?.aborted) end();
  else restart(ms);
  return { signal: controller.signal, restart, end };
}

/** Wait; a signal that aborts ends the pause early, and does not reject. */
export function pause(ms: number, outer?: AbortSignal): Promise<void> {
  const { signal } = startLimit(ms, outer);
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });
}
