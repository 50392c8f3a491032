/** Where pieces of one kind are made, three at a time. */
import { type JobPolling, useJobPolling } from "@loresmith/react";
import { isPiece, KINDS, type Kind, type Piece } from "../lore";
import { toast } from "../ui/Toasts";
import type { Draft } from "./draft";

export const AT_ONCE = 3;

export interface Bench {
  kind: Kind;
  polling: JobPolling<Piece[]>;
  pieces: Piece[];
  forge: () => void;
}

function useBench(kind: Kind, draft: Draft): Bench {
  const polling = useJobPolling<Piece[]>(undefined, undefined, { key: `forge:${kind}` });
  const type = KINDS.find((each) => each.kind === kind)?.job ?? "";
  const forge = () => {
    const payload = { theme: draft.theme, count: AT_ONCE, ...context(kind, draft) };
    polling.submit({ type, payload }).catch((error: unknown) => toast((error as Error).message));
  };
  return { kind, polling, pieces: polling.items.filter(isPiece), forge };
}

/** What is told of the pieces that were chosen: an event happens in a setting, a relic belongs to both. */
function context(kind: Kind, { chosen: { setting, event } }: Draft): Record<string, unknown> {
  if (kind === "event") return setting ? { selected_setting: setting } : {};
  if (kind === "relic")
    return { ...(setting && { selected_setting: setting }), ...(event && { selected_event: event }) };
  return {};
}

export function useBenches(draft: Draft): Bench[] {
  return [
    useBench("character", draft),
    useBench("faction", draft),
    useBench("setting", draft),
    useBench("event", draft),
    useBench("relic", draft),
  ];
}
