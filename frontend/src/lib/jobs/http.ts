/** How the API is spoken to: one request with a time limit, and what goes wrong with it. */
import { POLL_TIMEOUT_MS } from "./rules";
import type { Problem } from "./types";

interface Api {
  /** Where the API is; "" for where the page came from. */
  baseUrl: string;
  /** The caller's key, if they have one; asked for before each request. */
  token: () => string | null | undefined;
  /** Called when the server does not take that key, or wants one. */
  onRefused: (token: string | null | undefined) => void;
}

const api: Api = { baseUrl: "", token: () => null, onRefused: () => undefined };

/** Say where the API is and who is asking. Call it before the first hook runs. */
export function configureJobs(changes: Partial<Api>): void {
  Object.assign(api, changes);
}

/** An answer that is not what was asked for, or no answer at all (`status` 0). */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    readonly status: number,
    /** Stable, for programs: a code of the API, `network` or `timeout`. */
    readonly code: string,
    readonly isRetryable: boolean,
    readonly retryAfterMs?: number,
    readonly fields: Problem["errors"] = [],
    readonly requestId?: string,
  ) {
    super(message);
  }
}

export interface Asking {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
  keepalive?: boolean;
}

/** Ask for JSON. Raises ApiError; whatever hangs longer than `timeoutMs` has failed. */
export async function ask<T>(path: string, asking: Asking = {}): Promise<T> {
  const limit = new AbortController();
  const stop = () => limit.abort();
  const timer = setTimeout(() => limit.abort("timeout"), asking.timeoutMs ?? POLL_TIMEOUT_MS);
  asking.signal?.addEventListener("abort", stop);
  if (asking.signal?.aborted) stop();
  try {
    const response = await send(path, { ...asking, signal: limit.signal });
    if (!response.ok) throw await problemOf(response);
    return (response.status === 204 ? undefined : await response.json()) as T;
  } catch (error) {
    if (error instanceof ApiError || asking.signal?.aborted) throw error;
    throw limit.signal.aborted
      ? new ApiError("The server did not answer in time", 0, "timeout", true)
      : new ApiError("The server cannot be reached", 0, "network", true);
  } finally {
    clearTimeout(timer);
    asking.signal?.removeEventListener("abort", stop);
  }
}

/** Browsers refuse `keepalive` where the bodies under way have more than 64 KiB together (Fetch, 4.6). */
const MOST_KEPT_BYTES = 60 * 1024;
let kept = 0;

/** Send a request as it is, with the caller's key. */
export async function send(
  path: string,
  { method = "GET", body, headers, signal, keepalive }: Asking,
): Promise<Response> {
  const token = api.token();
  const text = body === undefined ? undefined : JSON.stringify(body);
  const size = keepalive && text !== undefined ? new TextEncoder().encode(text).length : 0;
  const isKept = keepalive && kept + size <= MOST_KEPT_BYTES;
  if (isKept) kept += size;
  const asked = fetch(api.baseUrl + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    ...(text === undefined ? {} : { body: text }),
    ...(isKept ? { keepalive: true } : {}),
    signal: signal ?? null,
  });
  const response = await asked.finally(() => {
    if (isKept) kept -= size;
  });
  if (response.status === 401) api.onRefused(token);
  return response;
}

/** Read why a request was refused; an answer that is no problem document may come from something in between. */
export async function problemOf(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  const retryable = problem.retryable ?? (response.status >= 500 || response.status === 429);
  return new ApiError(
    problem.detail ?? problem.title ?? `The server answered ${response.status}`,
    response.status,
    problem.code ?? "unknown",
    retryable,
    retryAfterMs(response.headers.get("Retry-After")),
    problem.errors,
    problem.request_id,
  );
}

/** Read Retry-After: seconds or a date (RFC 9110, 10.2.3). */
export function retryAfterMs(header: string | null): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

export const isGoneError = (error: unknown): boolean =>
  error instanceof ApiError && error.code === "job_not_found";
