/** Short news at the foot of the page, with a way back where there is one. */
import { useEffect, useSyncExternalStore } from "react";

interface Toast {
  id: number;
  text: string;
  undo?: () => void;
}

const SHOWN_MS = 6_000;
let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

export function toast(text: string, undo?: () => void): void {
  last += 1;
  show([...toasts, { id: last, text, ...(undo ? { undo } : {}) }]);
}

function show(next: readonly Toast[]): void {
  toasts = next;
  listeners.forEach((listener) => listener());
}

const drop = (id: number) => show(toasts.filter((each) => each.id !== id));

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="toasts" role="status">
      {shown.map((each) => (
        <Shown key={each.id} toast={each} />
      ))}
    </div>
  );
}

function Shown({ toast: { id, text, undo } }: { toast: Toast }) {
  useEffect(() => {
    const timer = setTimeout(() => drop(id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id]);
  return (
    <p className="toast">
      {text}
      {undo && (
        <button
          type="button"
          onClick={() => {
            undo();
            drop(id);
          }}
        >
          Undo
        </button>
      )}
    </p>
  );
}
