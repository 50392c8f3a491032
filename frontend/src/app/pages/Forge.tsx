/** Where a world is put together: a theme, one piece of each kind, and then its story. */
import { useJobPolling } from "@loresmith/react";
import { useLocation } from "wouter";
import { userId } from "../access";
import { AnvilArt, type PartState } from "../forge/AnvilArt";
import { type Bench, useBenches } from "../forge/bench";
import { BenchView } from "../forge/BenchView";
import { type Draft, useDraft } from "../forge/draft";
import { ThemePicker } from "../forge/ThemePicker";
import { type Kind, KINDS } from "../lore";
import { storyPath } from "../routes";
import { useTitle } from "../ui/title";
import { toast } from "../ui/Toasts";

export function ForgePage() {
  useTitle("");
  const { draft, change } = useDraft();
  const benches = useBenches(draft);
  const idle = benches.filter(({ polling }) => !polling.isPolling && !polling.isSubmitting);
  const isFresh = benches.every(({ polling, pieces }) => pieces.length === 0 && !polling.isPolling);
  return (
    <div className="forge">
      <section className="intro">
        <AnvilArt parts={partsOf(benches, draft)} />
        <h1>Every world starts hot.</h1>
        <p>
          Pick a theme, forge a few pieces of each kind, keep the ones you like. The model writes their story,
          and a world is saved.
        </p>
        <ThemePicker theme={draft.theme} onPick={(theme) => change({ theme })} />
        <button
          type="button"
          className="big"
          disabled={idle.length === 0}
          onClick={() => idle.forEach((each) => each.forge())}
        >
          {isFresh ? "Forge all five kinds" : "Forge all anew"}
        </button>
      </section>
      {benches.map((bench) => (
        <BenchView
          key={bench.kind}
          bench={bench}
          chosen={draft.chosen[bench.kind]}
          onChoose={(piece) => change({ chosen: chosenWith(draft, bench.kind, piece) })}
        />
      ))}
      <Anvil draft={draft} onClear={() => change({ chosen: {} })} />
    </div>
  );
}

/** Return what is chosen when this piece is, or none of its kind. */
function chosenWith(
  { chosen }: Draft,
  kind: keyof Draft["chosen"],
  piece: Draft["chosen"][typeof kind],
): Draft["chosen"] {
  const others = Object.entries(chosen).filter(([each]) => each !== kind);
  return Object.fromEntries(piece ? [...others, [kind, piece]] : others);
}

function partsOf(benches: readonly Bench[], { chosen }: Draft): Record<Kind, PartState> {
  const state = ({ kind, polling, pieces }: Bench): PartState => {
    if (polling.isPolling || polling.isSubmitting) return "hot";
    if (chosen[kind]) return "chosen";
    return pieces.length > 0 ? "made" : "empty";
  };
  return Object.fromEntries(benches.map((bench) => [bench.kind, state(bench)])) as Record<Kind, PartState>;
}

/** What was chosen so far, always in sight, and the way on. */
function Anvil({ draft, onClear }: { draft: Draft; onClear: () => void }) {
  const [, navigate] = useLocation();
  const { submit, isSubmitting } = useJobPolling(undefined, undefined, { key: "forge:world" });
  const count = Object.keys(draft.chosen).length;
  const write = async () => {
    try {
      const payload = { user_id: userId(), theme: draft.theme, selected_lore: draft.chosen };
      navigate(storyPath((await submit({ type: "create_world", payload })).id));
    } catch (error) {
      toast((error as Error).message);
    }
  };
  return (
    <section className="anvil" aria-label="Your world so far">
      <ol>
        {KINDS.map(({ kind }) => (
          <li key={kind} data-kind={kind} data-empty={!draft.chosen[kind]}>
            <span>{kind}</span>
            <b>{draft.chosen[kind]?.name ?? "the model chooses"}</b>
          </li>
        ))}
      </ol>
      {count > 0 && (
        <button type="button" className="ls-link" onClick={onClear}>
          Clear
        </button>
      )}
      <button type="button" className="big" disabled={isSubmitting} onClick={() => void write()}>
        {isSubmitting ? "Starting…" : "Write the world"}
      </button>
    </section>
  );
}
