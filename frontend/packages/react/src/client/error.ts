/** The error of a request. */
import type { Problem } from "../types.js";

interface Details {
  status: number;
  code: string;
  isRetryable: boolean;
  retryAfterMs: number | undefined;
  fields: NonNullable<Problem["errors"]>;
  requestId: string | undefined;
  cause: unknown;
}

/** An error answer of the API, or the lack of an answer. */
export class ApiError extends Error implements Omit<Details, "cause"> {
  override readonly name = "ApiError";
  /** The HTTP status; 0 without an answer. */
  readonly status: number = 0;
  /** A code of the API, `network`, `timeout`, `origin_refused`, or `credential_expired`, `_revoked`, `_changed`. */
  readonly code: string = "unknown";
  readonly isRetryable: boolean = false;
  declare readonly retryAfterMs: number | undefined;
  /** Wrong fields of the request, by JSON pointer. */
  readonly fields: NonNullable<Problem["errors"]> = [];
  declare readonly requestId: string | undefined;

  constructor(message: string, details: Partial<Details>) {
    super(message);
    Object.assign(this, details);
  }
}

export const isGoneError = (error: unknown): boolean =>
  error instanceof ApiError && error.code === "job_not_found";

/** Return whether requests are of no use until the caller has another key, or the server another setting. */
export const isRefusal = (error: unknown): error is ApiError =>
  error instanceof ApiError && (error.status === 401 || error.code === "origin_refused");

/** Read the error of an answer; one that is no problem document may come from a proxy. */
export async function readError(response: Response): Promise<ApiError> {
  const { status, headers } = response;
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  return new ApiError(problem.detail ?? problem.title ?? `The server answered ${status}`, {
    status,
    code: problem.code ?? "unknown",
    isRetryable: problem.retryable ?? (status >= 500 || status === 429),
    retryAfterMs: readRetryAfter(headers.get("Retry-After")),
    fields: problem.errors ?? [],
    requestId: problem.request_id,
  });
}

/** Read Retry-After as milliseconds: it is seconds or a date (RFC 9110, 10.2.3). */
export function readRetryAfter(header: string | null): number | undefined {
  if (!header) return undefined;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return ms >= 0 ? ms : undefined;
}
