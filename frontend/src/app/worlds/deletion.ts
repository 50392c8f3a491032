/** Worlds that are about to be deleted: hidden at once, gone when the time to undo it is over or the page is left. */
import { useQueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { deleteWorld, type WorldSummary } from "../api";
import { toast } from "../ui/Toasts";

const UNDO_MS = 6_000;

let doomed: ReadonlyMap<string, ReturnType<typeof setTimeout>> = new Map();
const listeners = new Set<() => void>();

function set(next: typeof doomed): void {
  doomed = next;
  listeners.forEach((listener) => listener());
}

function spare(worldId: string): void {
  clearTimeout(doomed.get(worldId));
  set(new Map([...doomed].filter(([id]) => id !== worldId)));
}

addEventListener("pagehide", () =>
  doomed.forEach((_, id) => void deleteWorld(id, true).catch(() => undefined)),
);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function useDeletion() {
  const queries = useQueryClient();
  const hidden = useSyncExternalStore(subscribe, () => doomed);
  const finish = async ({ id, title }: Pick<WorldSummary, "id" | "title">) => {
    try {
      await deleteWorld(id);
      await queries.invalidateQueries({ queryKey: ["worlds"] });
    } catch {
      toast(`${title} could not be deleted; it is still there`);
    } finally {
      spare(id);
    }
  };
  const remove = (world: Pick<WorldSummary, "id" | "title">) => {
    set(new Map([...doomed, [world.id, setTimeout(() => void finish(world), UNDO_MS)]]));
    toast(`${world.title} is deleted`, () => spare(world.id));
  };
  return { hidden, remove };
}
