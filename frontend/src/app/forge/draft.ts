/** The world that is being put together: its theme and what was chosen for it, kept in this browser. */
import { useCallback, useState } from "react";
import type { Kind, Piece } from "../lore";

export interface Draft {
  theme: string;
  chosen: Partial<Record<Kind, Piece>>;
}

const NAME = "loresmith.draft";
const FIRST: Draft = { theme: "fantasy", chosen: {} };

export function useDraft() {
  const [draft, setDraft] = useState(read);
  const change = useCallback((changes: Partial<Draft>) => {
    setDraft((before) => {
      const after = { ...before, ...changes };
      localStorage.setItem(NAME, JSON.stringify(after));
      return after;
    });
  }, []);
  return { draft, change };
}

function read(): Draft {
  try {
    return { ...FIRST, ...(JSON.parse(localStorage.getItem(NAME) ?? "{}") as Partial<Draft>) };
  } catch {
    return FIRST;
  }
}
