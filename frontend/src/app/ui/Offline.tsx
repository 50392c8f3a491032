/** A line that says so when there is no network, or when the server wants to know who is asking. */
import { useQuery } from "@tanstack/react-query";
import type * as React from "react";
import { useState } from "react";
import { ApiError, ask } from "@/lib/jobs/http";
import { accessKey, setAccessKey } from "../access";
import { client } from "../api";

export function Offline() {
  const { error } = useQuery({
    queryKey: ["pulse"],
    queryFn: ({ signal }) => ask("/job-types", { signal, timeoutMs: 8_000 }),
    refetchInterval: ({ state }) => (state.error ? 3_000 : 8_000),
    refetchOnReconnect: "always",
    retry: false,
  });
  if (!(error instanceof ApiError)) return null;
  if (error.status === 401) return <KeyAsked wasWrong={accessKey() !== null} />;
  return (
    <p className="banner" role="status">
      <span className="ls-spinner" aria-hidden="true" />
      {navigator.onLine ? "LoreSmith does not answer at the moment." : "You are offline."} Jobs go on
      meanwhile; this page looks again by itself.
    </p>
  );
}

function KeyAsked({ wasWrong }: { wasWrong: boolean }) {
  const [key, setKey] = useState("");
  const enter = (event: React.SubmitEvent) => {
    event.preventDefault();
    void setAccessKey(key.trim())
      .catch(() => undefined) // the next look says what is wrong with it
      .finally(() => client.invalidateQueries());
  };
  return (
    <form className="banner" onSubmit={enter}>
      <label htmlFor="access-key">
        {wasWrong ? "That key is not known here. Another?" : "LoreSmith asks for your key:"}
      </label>
      <input
        id="access-key"
        type="password"
        autoComplete="off"
        value={key}
        onChange={(event) => setKey(event.target.value)}
      />
      <button type="submit">Enter</button>
    </form>
  );
}
