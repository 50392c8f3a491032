/** The title of the page in the browser. */
import { useEffect } from "react";

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · LoreSmith` : "LoreSmith";
  }, [title]);
}
