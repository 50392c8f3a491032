/** The world that is being put together: its theme and what was chosen for it, kept in this browser. */
import { useCallback, useState } from "react";
import { getItem, parsed, setItem } from "@/lib/jobs/storage";
import { draftName } from "../access";
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
      setItem("localStorage", draftName(), JSON.stringify(after));
      return after;
    });
  }, []);
  return { draft, change };
}

function read(): Draft {
  return { ...FIRST, ...(parsed(getItem("localStorage", draftName())) as Partial<Draft> | null) };
}
