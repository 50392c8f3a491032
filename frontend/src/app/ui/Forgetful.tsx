/** A line that says so, until it is put away, when the browser keeps nothing for this page. */
import { useState, useSyncExternalStore } from "react";
import { isForgetful, onForgetful } from "../storage";

export function Forgetful() {
  const isShown = useSyncExternalStore(onForgetful, isForgetful);
  const [isRead, setRead] = useState(false);
  if (!isShown || isRead) return null;
  return (
    <p className="banner" role="status">
      <span>
        This browser keeps nothing for this page: after a reload, jobs and choices are forgotten here.
      </span>{" "}
      <button type="button" className="ls-link" onClick={() => setRead(true)}>
        Put away
      </button>
    </p>
  );
}
