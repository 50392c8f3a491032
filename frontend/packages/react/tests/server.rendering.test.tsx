// @vitest-environment node
/** Hooks and components on a server, where there is no window, and their hydration. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { expect, it, vi } from "vitest";
import {
  createJobsClient,
  type Job,
  jobKey,
  JobProgressSpinner,
  JobsProvider,
  JobsTray,
  useActiveJobs,
  useJob,
  useJobPolling,
  useJobs,
  useJobStatus,
  useOwnJobIds,
  useSubmitJob,
} from "../src/index.js";

const JOB: Job = {
  id: "1",
  type: "generate_relics",
  status: "processing",
  progress: 42,
  message: "Generating relics...",
  created_at: "2026-11-24T00:00:00Z",
  eta: { seconds: 10, low: 8, high: 12 },
  links: { events: "/jobs/1/events" },
};

function Page() {
  useSubmitJob();
  useOwnJobIds();
  useActiveJobs();
  useJobs(["1"]);
  useJobPolling(undefined, undefined, { key: "x" });
  useJobPolling();
  useJob({ type: "generate_relics", key: "y" });
  const { job } = useJobStatus("1");
  return createElement("main", null, [
    createElement(JobProgressSpinner, { key: "a", job }),
    createElement(JobsTray, { key: "b", link: (_, text) => text }),
  ]);
}

function html(): string {
  const client = new QueryClient();
  const jobs = createJobsClient();
  client.setQueryData(jobKey(jobs, "1"), JOB);
  const provided = createElement(JobsProvider, { client: jobs }, createElement(Page));
  const text = renderToString(createElement(QueryClientProvider, { client }, provided));
  client.clear();
  return text;
}

it("nothing throws, and what is known is shown", () => {
  expect(typeof window).toBe("undefined");
  const warn = vi.spyOn(console, "warn");
  expect(html()).toContain("42 %");
  expect(warn).not.toHaveBeenCalled();
});

it("the same is rendered at any moment, as hydration needs it", () => {
  const first = html();
  vi.useFakeTimers({ now: Date.now() + 3_600_000 });
  expect(html()).toBe(first);
  vi.useRealTimers();
});
