/** A world to read: story, quest, and the pieces that it is made of. */
import type { ReactNode } from "react";
import { type Tale, themeInWords } from "../lore";
import { PieceCard } from "./PieceCard";

export function TaleView({ tale, children }: { tale: Tale; children?: ReactNode }) {
  return (
    <article className="tale">
      <header>
        {tale.theme && <p className="tale-theme">{themeInWords(tale.theme)}</p>}
        <h1>{tale.title}</h1>
        {children}
      </header>
      <Story paragraphs={tale.story.split(/\n{2,}/)} />
      <section className="quest" aria-labelledby="quest">
        <h2 id="quest">{tale.quest.title}</h2>
        <p>{tale.quest.description}</p>
        <ol>
          {tale.quest.stages.map((stage) => (
            <li key={stage}>{stage}</li>
          ))}
        </ol>
      </section>
      <section aria-labelledby="pieces" className="tale-pieces">
        <h2 id="pieces">What it is made of</h2>
        <div className="ls-cards">
          {tale.pieces.map((piece) => (
            <PieceCard key={piece.type + piece.name} piece={piece} />
          ))}
        </div>
      </section>
    </article>
  );
}

export function Story({ paragraphs, isNew = false }: { paragraphs: readonly string[]; isNew?: boolean }) {
  return (
    <div className="story" data-new={isNew}>
      {paragraphs.map((text, at) => (
        <p key={at}>{text}</p>
      ))}
    </div>
  );
}
