/** What stands before the page while the server wants to know who is asking; the page waits behind it as it was. */
import { ApiError } from "@loresmith/react";
import { type SubmitEvent, useEffect, useId, useRef, useState } from "react";
import { type Access, enterKey } from "../access";
import { MAKES_WORLDS } from "../base";
import { AnvilArt } from "../forge/AnvilArt";

const COLD = {
  character: "empty",
  faction: "empty",
  setting: "empty",
  event: "empty",
  relic: "empty",
} as const;

export function KeyGate({ why }: { why: NonNullable<Access["asked"]> }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [key, setKey] = useState("");
  const [isKept, setKept] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  useEffect(() => input.current?.focus(), []);
  const enter = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await enterKey(key.trim(), isKept);
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
      input.current?.select();
    }
  };
  return (
    <section className="gate" role="dialog" aria-modal="true" aria-labelledby={`${id}-title`}>
      <AnvilArt parts={COLD} />
      <form onSubmit={(event) => void enter(event)}>
        <p className="mark">LoreSmith</p>
        <h1 id={`${id}-title`}>
          {why === "none"
            ? MAKES_WORLDS
              ? "The forge is locked."
              : "A key is needed."
            : "Your key has ended."}
        </h1>
        <p className="gate-why">
          {why === "none"
            ? "This server asks who you are. Enter your key, and it opens."
            : "It was revoked, or its time is over. What you were doing is still here: with another key you go on."}
        </p>
        <label htmlFor={`${id}-key`}>Your key</label>
        <input
          id={`${id}-key`}
          ref={input}
          type="password"
          autoComplete="off"
          spellCheck={false}
          required
          placeholder="ls_…"
          value={key}
          aria-invalid={problem !== ""}
          aria-describedby={`${id}-problem`}
          onChange={({ target }) => setKey(target.value)}
        />
        <p id={`${id}-problem`} className="ls-error" role="alert">
          {problem}
        </p>
        <label className="gate-keep">
          <input type="checkbox" checked={isKept} onChange={({ target }) => setKept(target.checked)} />
          <span>
            Remember it on this device <small>Otherwise it is forgotten when this tab is closed.</small>
          </span>
        </label>
        <button type="submit" className="big" disabled={isBusy}>
          {isBusy ? "Trying…" : "Open"}
        </button>
        <p className="hint">
          No key? Whoever runs this server makes one: <code>loresmith keys create NAME</code>
        </p>
      </form>
    </section>
  );
}

function problemOf(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  return error.status === 401 ? "That key is not known here, or it has ended." : `${error.message}.`;
}
