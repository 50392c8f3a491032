/** The hooks, without components. */
export * from "./client.js";
export {
  type FollowedJob,
  type JobCallbacks,
  type JobOptions,
  type JobPolling,
  type JobStatusResult,
  useActiveJobs,
  useJob,
  useJobActions,
  useJobPolling,
  type UseJobResult,
  useJobs,
  useJobStatus,
  useOwnJobIds,
  useSubmitJob,
} from "./hooks/jobs.js";
export { JobsProvider, type JobsProviderProps, useJobsClient } from "./hooks/provider.js";
export { forgetJobs } from "./hooks/session.js";
export { type BrowserStorage, createBrowserStorage } from "./hooks/storage.js";
export { type JobKey, jobKey, jobQueryOptions } from "./query.js";
