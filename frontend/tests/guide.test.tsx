/** The sample code of the guide of the job system, as it is written there. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createJobsClient, JobsProvider } from "@loresmith/react";
import { render, screen } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { useState } from "react";
import { afterAll, beforeAll, expect, it } from "vitest";
import JobProgressSpinner from "@/components/jobs/JobProgressSpinner";
import { useJobPolling } from "@/lib/queries/jobs";
import { server } from "./pages.server";

interface Character {
  name: string;
}

const JOB = {
  id: "550e8400-e29b-41d4-a716-446655440000",
  type: "generate_characters",
  status: "pending",
  progress: 0,
  message: "Preparing your request...",
  created_at: "2025-01-10T12:00:00Z",
};

// prettier-ignore
function Sample() {
  const [generatedData, setGeneratedData] = useState<Character[]>([]);
  const [error, setError] = useState("");

const { submit, job, isPolling, isCompleted, isFailed } = useJobPolling(
  (result) => {
    // Success callback - result contains generated data
    setGeneratedData(result); // eslint-disable-line @typescript-eslint/no-unsafe-argument -- as in the guide
  },
  (error) => {
    // Error callback - error is string message
    setError(error);
  }
);

  const generate = async () => {
// Submit job
await submit({
  type: "generate_characters",
  payload: { theme: "fantasy", count: 3 }
});
  };

if (isFailed) {
  return (
    <div>
      <p>Error: {job?.error}</p>
      <button onClick={() => submit({ type: "generate_characters", payload: { theme: "fantasy" } })}>Retry</button>
      <p>{error}</p>
    </div>
  );
}

  return (
    <div>
      <button disabled={isPolling} onClick={() => void generate()}>Generate</button>
<JobProgressSpinner
  job={job}              // Job from useJobPolling
  showProgress={true}    // Show progress bar (0-100%)
  showMessage={true}     // Show status message
/>
      {isCompleted && generatedData.map(({ name }) => <b key={name}>{name}</b>)}
    </div>
  );
}

beforeAll(() => server.listen());
afterAll(() => server.close());

it.each([
  ["completed", { progress: 100, result: [{ name: "Aragorn" }] }, "Aragorn"],
  ["failed", { error: "gRPC service timeout" }, "Error: gRPC service timeout"],
] as const)("works with a job that is %s", async (status, changes, shown) => {
  server.use(
    http.post("*/jobs", () => HttpResponse.json(JOB, { status: 202 })),
    http.get("*/jobs/:id", () => HttpResponse.json({ ...JOB, ...changes, status })),
  );
  render(
    <QueryClientProvider client={new QueryClient()}>
      <JobsProvider client={createJobsClient()}>
        <Sample />
      </JobsProvider>
    </QueryClientProvider>,
  );
  screen.getByRole("button", { name: "Generate" }).click();
  expect(await screen.findByText("Preparing your request...")).toBeTruthy();
  expect(await screen.findByText(shown)).toBeTruthy();
});
