/** Where the guide of the job system has the hooks. */
export * from "@loresmith/react";
