/** What a screen reader is told of a job: not every percent, but the end at once. */
import { useEffect, useState } from "react";

export const QUIET_MS = 10_000;

/** Return the text as it was at most `QUIET_MS` ago; an urgent one is returned at once. */
export function useAnnouncement(text: string, isUrgent: boolean): string {
  const [told, setTold] = useState({ text, at: 0 });
  useEffect(() => {
    if (told.text === text) return undefined;
    const wait = isUrgent ? 0 : Math.max(0, told.at + QUIET_MS - Date.now());
    const timer = setTimeout(() => setTold({ text, at: Date.now() }), wait);
    return () => clearTimeout(timer);
  }, [text, isUrgent, told]);
  return told.text;
}
