import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { ID, job, open, useApp } from "./opened";
import { answers, json } from "./pages.server";

useApp();

const WORLD = {
  id: ID,
  title: "The Drowned Library",
  theme: "fantasy",
  story: "It rained.\n\nIt rained on.",
  quest: { title: "Find the pump", description: "It is below.", stages: ["Dive", "Pump"] },
  pieces: [{ name: "Ada", description: "A diver", details: { role: "Diver" }, type: "character" }],
  created_at: "2026-01-01T00:00:00Z",
};

describe("a world", () => {
  it("can be copied, and taken along as Markdown and as JSON", async () => {
    answers.set("/worlds/" + ID, json(WORLD));
    const writeText = vi.fn(() => Promise.resolve());
    vi.stubGlobal(
      "navigator",
      Object.assign(Object.create(navigator) as Navigator, { clipboard: { writeText } }),
    );
    const files: Blob[] = [];
    URL.createObjectURL = (file) => `blob:${files.push(file as Blob)}`;
    URL.revokeObjectURL = () => {};
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
    open("/world/" + ID);
    fireEvent.click(await screen.findByRole("button", { name: "Copy" }));
    expect(await screen.findByText("Copied")).toBeTruthy();
    expect(writeText).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("# The Drowned Library"));
    fireEvent.click(screen.getByRole("button", { name: "Markdown" }));
    fireEvent.click(screen.getByRole("button", { name: "JSON" }));
    vi.unstubAllGlobals();
    expect(files.map(({ type }) => type)).toEqual(["text/markdown", "application/json"]);
    expect(JSON.parse(await files[1]!.text())).toEqual(WORLD);
  });
});

describe("a job type that the page has never heard of", () => {
  it("has a form, made of its schema, and its jobs are submitted", async () => {
    const payload_schema = {
      type: "object",
      required: ["season"],
      properties: {
        season: { enum: ["spring", "autumn"], type: "string" },
        lines: { type: "integer", default: 3 },
      },
    };
    const type = { name: "write_haiku", description: "Writes a haiku", expected_seconds: 5, payload_schema };
    answers.set("/job-types", json({ data: [type] }));
    let sent: unknown;
    answers.set("POST /jobs", async (request) => {
      sent = await request.json();
      return json(job({ type: "write_haiku" }), 202)(request);
    });
    answers.set("/jobs/" + ID, json(job({ type: "write_haiku" })));
    open("/submit");
    expect(await screen.findByRole("link", { name: /Write haiku/ })).toBeTruthy();
    fireEvent.change(screen.getByLabelText(/Season/), { target: { value: "autumn" } });
    fireEvent.click(screen.getByRole("button", { name: "Submit" }));
    expect(await screen.findByRole("heading", { name: "Write haiku", level: 1 })).toBeTruthy();
    expect(sent).toEqual({ type: "write_haiku", payload: { season: "autumn", lines: 3 } });
  });
});

describe("the table of jobs", () => {
  const other = ID.replace("1", "2");
  const failed = job({
    id: other,
    status: "failed",
    state: "failed",
    done: true,
    error: "No",
    type: "generate_relics",
  });

  it("shows tries, tokens and cost, and stops and retries what is picked", async () => {
    const usage = {
      input_tokens: 1_000,
      output_tokens: 234,
      cost_usd: 0.5,
      model: "m",
      wasted: null,
      in_flight: null,
    };
    const running = job({ attempt: 2, max_attempts: 3, usage });
    answers.set("/jobs", json({ data: [running, failed], next_cursor: null }));
    const acted: string[] = [];
    const note = (request: Request) => {
      acted.push(new URL(request.url).pathname);
      return json(running)(request);
    };
    answers.set(`POST /jobs/${ID}/cancel`, note);
    answers.set(`POST /jobs/${other}/retry`, note);
    open("/my-jobs");
    const row = await screen.findByRole("row", { name: /Generate characters/ });
    for (const text of ["2 of 3", (1_234).toLocaleString(), "$0.50"])
      expect(within(row).getByText(text)).toBeTruthy();
    fireEvent.click(screen.getByRole("checkbox", { name: "Pick all" }));
    fireEvent.click(screen.getByRole("button", { name: "Stop 1" }));
    expect(await screen.findByText("Stopped 1")).toBeTruthy();
    fireEvent.click(screen.getByRole("checkbox", { name: "Pick all" }));
    fireEvent.click(screen.getByRole("button", { name: "Retry 1" }));
    expect(await screen.findByText("Retried 1")).toBeTruthy();
    expect(acted).toEqual([`/jobs/${ID}/cancel`, `/jobs/${other}/retry`]);
  });

  it("is filtered by the server, and says when nothing is like that", async () => {
    const asked: string[] = [];
    answers.set("/jobs", (request) => {
      const { search } = new URL(request.url);
      asked.push(search);
      return json({ data: search.includes("status=failed") ? [] : [failed], next_cursor: null })(request);
    });
    open("/my-jobs");
    await screen.findByRole("row", { name: /Generate relics/ });
    fireEvent.change(screen.getByLabelText("Status"), { target: { value: "failed" } });
    expect(await screen.findByText("No job is like that")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Kind of job"), { target: { value: "generate_characters" } });
    await waitFor(() => expect(asked.at(-1)).toMatch(/status=failed&type=generate_characters|limit=100/));
    expect(asked.some((each) => each.includes("type=generate_characters"))).toBe(true);
  });

  it("shows workers and the depth of the queue", async () => {
    const depth = { high: 1, normal: 4, low: 0 };
    const queue = { name: "default", paused: true, depth, running: 2, scheduled: 7, open: 14 };
    const worker = { id: "w1", host: "forge-1", running: 2, concurrency: 4 };
    answers.set("/stats", json({ queues: [queue], workers: [worker] }));
    open("/my-jobs");
    expect(await screen.findByText("Worker on forge-1")).toBeTruthy();
    const figure = (name: string) =>
      screen.getByText(name, { selector: "dt" }).nextElementSibling?.textContent;
    expect([figure("Waiting"), figure("Running"), figure("Scheduled"), figure("Queue")]).toEqual([
      "5",
      "2",
      "7",
      "paused",
    ]);
  });
});
