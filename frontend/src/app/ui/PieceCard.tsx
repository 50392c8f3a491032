/** A piece of lore as a card, which cools from hot to ink when it is new. */
import type { ReactNode } from "react";
import { nameInWords, type Piece, valueInWords } from "../lore";

export interface PieceCardProps {
  piece: Piece;
  isNew?: boolean;
  isChosen?: boolean;
  children?: ReactNode;
}

export function PieceCard({ piece, isNew = false, isChosen = false, children }: PieceCardProps) {
  const { stats, ...details } = piece.details;
  const [first, ...rest] = Object.entries(details);
  return (
    <article className="piece" data-kind={piece.type} data-new={isNew} data-chosen={isChosen}>
      <p className="piece-kind">
        {first && typeof first[1] === "string" && first[1].length < 40 ? first[1] : piece.type}
      </p>
      <h3>{piece.name}</h3>
      <p className="piece-text">{piece.description}</p>
      <details>
        <summary>More about {piece.name}</summary>
        <dl>
          {rest.map(([name, value]) => (
            <div key={name}>
              <dt>{nameInWords(name)}</dt>
              <dd>{valueInWords(value)}</dd>
            </div>
          ))}
        </dl>
        {stats !== null && typeof stats === "object" && <Stats stats={stats as Record<string, unknown>} />}
      </details>
      {children}
    </article>
  );
}

function Stats({ stats }: { stats: Record<string, unknown> }) {
  return (
    <dl className="stats">
      {Object.entries(stats).map(([name, value]) => (
        <div key={name}>
          <dt>{nameInWords(name)}</dt>
          <dd>{valueInWords(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
