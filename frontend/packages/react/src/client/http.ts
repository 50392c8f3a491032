/** Requests to the API: the caller's key, a time limit, and errors that say what to do. */
import { ApiError, readError } from "./error.js";
import { startLimit } from "./limit.js";
import { POLL_TIMEOUT_MS } from "./rules.js";

export type Token = string | null | undefined;

export interface HttpOptions {
  /** The address of the API, with the path under which a proxy shows it. By default the origin of the page. */
  baseUrl?: string;
  /** The caller's API key or access token, or a function that returns it. It is called before each request. */
  token?: Token | (() => Token | Promise<Token>);
  /** Called when the server refuses a request for its key (401), or for the lack of one. */
  onUnauthorized?: (token: Token) => void;
  /** Used instead of the global `fetch`. */
  fetch?: typeof fetch;
}

export interface RequestOptions {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
  /** Let the request outlive the page. */
  keepalive?: boolean;
}

export interface Http {
  readonly baseUrl: string;
  readToken: () => Promise<Token>;
  /** Report that the server accepts this token no longer. */
  onUnauthorized: (token: Token) => void;
  /** Send a request with the caller's key, and return any answer. */
  send: (path: string, options: RequestOptions) => Promise<Response>;
  /** Request JSON. Rejects with ApiError, also after `timeoutMs`. */
  request: <T>(path: string, options?: RequestOptions) => Promise<T>;
}

export const jobPath = (jobId: string): string => `/jobs/${encodeURIComponent(jobId)}`;

/** Browsers refuse `keepalive` where the bodies under way have more than 64 KiB together (Fetch, 4.6). */
const MAX_KEPT_BYTES = 60 * 1024;
let keptBytes = 0;

export function createHttp({
  baseUrl = "",
  token,
  onUnauthorized = () => undefined,
  fetch: ownFetch,
}: HttpOptions): Http {
  if (baseUrl && !/^(https?:\/)?\//.test(baseUrl))
    throw new TypeError(`baseUrl ${baseUrl} must begin with http:// or https://`);
  const base = baseUrl.replace(/\/+$/, "");
  const page = typeof location === "undefined" ? "" : location.origin;
  const readToken = async () => (typeof token === "function" ? token() : token);

  async function send(
    path: string,
    { method, body, headers, signal, keepalive }: RequestOptions,
    isSecond = false,
  ): Promise<Response> {
    if (!base && !page)
      throw new ApiError("createJobsClient needs a baseUrl outside of a page", { code: "no_base_url" });
    const used = await readToken();
    const text = body === undefined ? null : JSON.stringify(body);
    const size = keepalive && text ? new Blob([text]).size : Infinity;
    const isKept = keptBytes + size <= MAX_KEPT_BYTES;
    if (isKept) keptBytes += size;
    try {
      const response = await (ownFetch ?? fetch)(base + path, {
        method: method ?? "GET",
        headers: {
          ...(text && { "Content-Type": "application/json" }),
          ...(used && { Authorization: `Bearer ${used}` }),
          ...headers,
        },
        body: text,
        keepalive: isKept,
        signal: signal ?? null,
      });
      if (response.status !== 401) return response;
      // A token that was renewed meanwhile gets one more request.
      if (!isSecond && (await readToken()) !== used)
        return await send(path, { method, body, headers, signal }, true);
      onUnauthorized(used);
      return response;
    } catch (error) {
      throw signal?.aborted || error instanceof ApiError ? error : await explain(error, signal);
    } finally {
      if (isKept) keptBytes -= size;
    }
  }

  /** Distinguish a refused origin from a server that is down: a script sees the same TypeError for both. */
  async function explain(cause: unknown, signal: AbortSignal | undefined): Promise<ApiError> {
    if (page && new URL(base, location.href).origin !== page) {
      const probe = { mode: "no-cors", cache: "no-store", signal: signal ?? null } as const;
      if (await fetch(`${base}/healthz`, probe).catch(() => null)) {
        const message = `${base} refuses pages of ${page}: set LORESMITH_CORS_ORIGINS=${page} there`;
        return new ApiError(message, { code: "origin_refused" });
      }
    }
    const place = base && ` at ${base}`;
    return new ApiError(`The server${place} cannot be reached`, {
      code: "network",
      isRetryable: true,
      cause,
    });
  }

  async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
    const limit = startLimit(options.timeoutMs ?? POLL_TIMEOUT_MS, options.signal);
    try {
      const response = await send(path, { ...options, signal: limit.signal });
      if (!response.ok) throw await readError(response);
      return (response.status === 204 ? undefined : await response.json()) as T;
    } catch (cause) {
      if (cause instanceof ApiError || options.signal?.aborted) throw cause;
      const [message, code] = limit.signal.aborted
        ? ["The server did not answer in time", "timeout"]
        : ["The server sent no JSON", "network"];
      throw new ApiError(message, { code, isRetryable: true, cause });
    } finally {
      limit.end();
    }
  }

  return { baseUrl: base, readToken, onUnauthorized, send, request };
}
