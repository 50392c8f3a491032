/** One kind: three cards that appear as they are finished, of which one is chosen. */
import { JobErrorCard, JobProgressSpinner, PartialCards } from "@loresmith/react";
import { useState } from "react";
import { KINDS, type Piece } from "../lore";
import { PieceCard } from "../ui/PieceCard";
import { SlowNote } from "../ui/SlowNote";
import { AT_ONCE, type Bench } from "./bench";

export interface BenchViewProps {
  bench: Bench;
  chosen: Piece | undefined;
  onChoose: (piece: Piece | undefined) => void;
}

export function BenchView({ bench, chosen, onChoose }: BenchViewProps) {
  const { kind, polling, pieces, forge } = bench;
  const { plural, line } = KINDS.find((each) => each.kind === kind) ?? { plural: kind, line: "" };
  const { job, isPolling, isFailed } = polling;
  const isBusy = isPolling || polling.isSubmitting;
  const [wasBusy, setWasBusy] = useState(isBusy);
  if (isBusy && !wasBusy) setWasBusy(true);
  const shown = pieces.length > 0 || !chosen || isBusy ? pieces : [chosen];
  return (
    <section className="bench" data-kind={kind} aria-labelledby={`bench-${kind}`}>
      <header>
        <h2 id={`bench-${kind}`}>{plural}</h2>
        <p>{line}</p>
        {isPolling ? (
          <button type="button" className="quiet" onClick={() => void polling.cancel()}>
            Stop
          </button>
        ) : (
          <button type="button" className={shown.length > 0 ? "quiet" : ""} disabled={isBusy} onClick={forge}>
            {shown.length > 0 ? "Forge three others" : `Forge three ${plural.toLowerCase()}`}
          </button>
        )}
      </header>
      {job && isPolling && <JobProgressSpinner job={job} />}
      {job && isPolling && <SlowNote job={job} />}
      {job && isFailed && <JobErrorCard job={job} onRetry={polling.retry} onDismiss={polling.reset} />}
      {(shown.length > 0 || isBusy) && (
        <PartialCards
          items={shown}
          count={AT_ONCE}
          isPending={isBusy}
          label={plural}
          keyOf={({ name }, index) => `${name} ${index}`}
          render={(piece) => {
            const isChosen = chosen?.name === piece.name && chosen.description === piece.description;
            return (
              <PieceCard piece={piece} isNew={wasBusy} isChosen={isChosen}>
                <button
                  type="button"
                  className="choose"
                  aria-pressed={isChosen}
                  onClick={() => onChoose(isChosen ? undefined : piece)}
                >
                  {isChosen ? "Chosen" : "Choose"}
                  <span className="ls-hidden"> {piece.name}</span>
                </button>
              </PieceCard>
            );
          }}
        />
      )}
    </section>
  );
}
