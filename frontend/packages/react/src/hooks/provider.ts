"use client";
/** The provider of the backend whose jobs the hooks below it submit and follow. */
import { useQueryClient } from "@tanstack/react-query";
import { createContext, createElement, type ReactNode, useContext, useInsertionEffect } from "react";
import type { JobsClient } from "../client/client.js";
import { type Session, sessionOf, setClient } from "./session.js";
import type { BrowserStorage } from "./storage.js";

export interface JobsProviderProps {
  client: JobsClient;
  /** The user who is signed in: each finds their own jobs in this browser. By default one for all. */
  owner?: string;
  /** By default the storage of the browser; on its own in tests, or shared with the app. */
  storage?: BrowserStorage;
  children?: ReactNode;
}

export const JobsContext = createContext<Session | null>(null);

/** Provides a client to hooks. It is inside of a QueryClientProvider; several may stand side by side or nested. */
export function JobsProvider({ client, owner, storage, children }: JobsProviderProps) {
  const session = sessionOf(useQueryClient(), client, owner, storage);
  useInsertionEffect(() => setClient(session, client), [session, client]);
  return createElement(JobsContext.Provider, { value: session }, children);
}

export function useSession(): Session {
  const session = useContext(JobsContext);
  if (!session) throw new Error("no jobs client: wrap the component in <JobsProvider client={…}>");
  return session;
}

/** Return the client of the nearest provider. */
export function useJobsClient(): JobsClient {
  return useSession().client;
}
