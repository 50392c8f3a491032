/** What a page shows when it has nothing else to show. */
import { ApiError } from "@loresmith/react";
import type { ReactNode } from "react";

/** `isPart`: there is a heading above it already. */
export function Empty({
  title,
  isPart = false,
  children,
}: {
  title: string;
  isPart?: boolean;
  children: ReactNode;
}) {
  const Heading = isPart ? "h2" : "h1";
  return (
    <section className="state">
      <Heading>{title}</Heading>
      {children}
    </section>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <p className="state loading" role="status">
      <span className="ls-spinner" aria-hidden="true" /> Fetching {what}…
    </p>
  );
}

export function Broken({ error, onRetry }: { error: Error; onRetry: () => unknown }) {
  const isAway = error instanceof ApiError && error.status === 0;
  return (
    <section className="state" role="alert">
      <h1>{isAway ? "LoreSmith cannot be reached" : "That did not work"}</h1>
      <p>
        {isAway
          ? "Jobs that were started go on without this page, and show up when it is back."
          : error.message}
      </p>
      <button type="button" onClick={() => void onRetry()}>
        Try again
      </button>
    </section>
  );
}
