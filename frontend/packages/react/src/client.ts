/** `@loresmith/react/client`: the client alone, without React. */
export {
  type CallOptions,
  createJobsClient,
  type JobsClient,
  type JobsClientOptions,
  type SubmitCallOptions,
} from "./client/client.js";
export { ApiError } from "./client/error.js";
export type { RequestOptions, Token } from "./client/http.js";
export { isCancelled, isDone, isGone, itemsOf } from "./client/rules.js";
export type {
  Connection,
  Eta,
  ItemOf,
  Job,
  JobStatus,
  JobType,
  Problem,
  Schemas,
  SubmitOptions,
  SubmitRequest,
} from "./types.js";
