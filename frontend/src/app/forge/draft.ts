/** The world that is being put together: its theme and what was chosen for it, kept in this browser. */
import { useCallback, useState } from "react";
import { draftName } from "../access";
import { storage } from "../storage";
import type { Kind, Piece } from "../lore";

export interface Draft {
  theme: string;
  chosen: Partial<Record<Kind, Piece>>;
}

const FIRST: Draft = { theme: "fantasy", chosen: {} };

export function useDraft() {
  const [draft, setDraft] = useState(read);
  const change = useCallback((changes: Partial<Draft>) => {
    setDraft((before) => {
      const after = { ...before, ...changes };
      storage.local.set(draftName(), JSON.stringify(after));
      return after;
    });
  }, []);
  return { draft, change };
}

function read(): Draft {
  return { ...FIRST, ...(storage.local.getJson(draftName()) as Partial<Draft> | null) };
}
