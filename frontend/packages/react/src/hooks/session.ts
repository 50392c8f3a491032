/** All that the hooks keep of one backend and one owner on a page. */
import type { QueryClient } from "@tanstack/react-query";
import type { JobsClient } from "../client/client.js";
import type { Job } from "../types.js";
import { createRegistry, type Registry } from "./registry.js";
import { type BrowserStorage, createBrowserStorage } from "./storage.js";
import { createWatcher, type JobWatcher } from "./watcher.js";

export interface Session {
  client: JobsClient;
  registry: Registry;
  watcher: JobWatcher;
  /** Keys that hooks without a key of their own have taken. */
  mounted: Set<string>;
  /** Requests on their way: by hook and request, by submission, or by job. */
  underWay: Map<string, Promise<Job>>;
}

const sessions = new WeakMap<QueryClient, Map<string, Session>>();

/** Return the session of a backend and an owner: the same one for as long as the query cache lives. */
export function sessionOf(
  queries: QueryClient,
  client: JobsClient,
  owner = "",
  storage?: BrowserStorage,
): Session {
  const known = sessions.get(queries) ?? new Map<string, Session>();
  sessions.set(queries, known);
  const name = `${client.name}\n${owner}`;
  const session = known.get(name) ?? createSession(queries, client, owner, storage);
  known.set(name, session);
  return session;
}

function createSession(
  queries: QueryClient,
  client: JobsClient,
  owner: string,
  storage = createBrowserStorage(),
): Session {
  const registry = createRegistry(storage, client.name, owner);
  const watcher: JobWatcher = createWatcher(queries, registry, client.name, () => session.client);
  const session: Session = { client, registry, watcher, mounted: new Set(), underWay: new Map() };
  return session;
}

/** Use another client from now on, as when a token has changed. */
export function setClient(session: Session, client: JobsClient): void {
  session.client = client;
}

/** Forget the jobs of an owner in this browser, as when they sign out; on the server they go on. */
export function forgetJobs(
  queries: QueryClient,
  client: JobsClient,
  owner = "",
  storage?: BrowserStorage,
): void {
  const { entries, remove } = sessionOf(queries, client, owner, storage).registry;
  entries().forEach(({ submission }) => remove(submission));
}
