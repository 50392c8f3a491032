"use client";
/** What a screen reader is told of a job: not every percent, but the end at once. */
import { useEffect, useState } from "react";

/** Between two announcements. */
export const QUIET_MS = 10_000;
/** Between two values of the bar. */
export const VALUE_MS = 3_000;

/** Return the value as it was at most `quietMs` ago; an urgent one is returned at once. */
export function useHeld(value: string, isUrgent: boolean, quietMs: number): string {
  const [told, setTold] = useState({ value, at: 0 });
  useEffect(() => {
    if (told.value === value) return undefined;
    const wait = isUrgent ? 0 : Math.max(0, told.at + quietMs - Date.now());
    const timer = setTimeout(() => setTold({ value, at: Date.now() }), wait);
    return () => clearTimeout(timer);
  }, [value, isUrgent, told, quietMs]);
  return told.value;
}
