/** The paths of the page; src/loresmith/api/page.py serves the same. */
export const ROUTES = {
  forge: "/",
  story: "/story/:job_id",
  world: "/world/:world_id",
  worlds: "/my-worlds",
  jobs: "/my-jobs",
  job: "/my-jobs/:job_id",
  submit: "/submit",
  submitType: "/submit/:job_type",
} as const;

export const storyPath = (jobId: string) => `/story/${jobId}`;
export const worldPath = (worldId: string) => `/world/${worldId}`;
export const jobPath = (jobId: string) => `/my-jobs/${jobId}`;
export const submitPath = (type: string) => `/submit/${type}`;
