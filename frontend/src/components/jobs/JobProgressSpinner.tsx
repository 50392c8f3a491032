/** Where the guide of the job system has the spinner. */
export { JobProgressSpinner as default, type JobProgressSpinnerProps } from "@loresmith/react";
