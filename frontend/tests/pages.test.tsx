import { fireEvent, screen } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { expectAccessible, ID, job, open, useApp } from "./opened";
import { answers, away, json, never, refused } from "./pages.server";

useApp();
const LONG_AGO = new Date(Date.now() - 20 * 60_000).toISOString();

/** Path, what it fetches, what it says meanwhile, and what it says when there is nothing. */
const PAGES = [
  ["/story/" + ID, "/jobs/" + ID, "Fetching the story…", "This story has gone cold", "job_not_found"],
  ["/my-jobs/" + ID, "/jobs/" + ID, "Fetching the job…", "No job has this id", "job_not_found"],
  ["/world/" + ID, "/worlds/" + ID, "Fetching the world…", "There is no such world", "world_not_found"],
  ["/my-worlds", "/worlds", "Fetching your worlds…", "No worlds yet", ""],
  ["/my-jobs", "/jobs", "Fetching the jobs…", "No jobs yet", ""],
  ["/submit/nothing", "/job-types", "Fetching the kinds of job…", "There is no such kind of job", ""],
] as const;

describe.each(PAGES)("%s", (path, resource, loading, nothing, code) => {
  it("says what it fetches", async () => {
    answers.set(resource, never);
    open(path);
    expect(await screen.findByText(loading)).toBeTruthy();
    await expectAccessible();
  });

  it("says when there is nothing, or nothing any more, and where to go", async () => {
    if (code) answers.set(resource, refused(404, code));
    open(path);
    expect(await screen.findByRole("heading", { name: nothing })).toBeTruthy();
    expect(screen.getAllByRole("link").length).toBeGreaterThan(5);
    await expectAccessible();
  });

  it("says what went wrong, and tries again when asked to", async () => {
    answers.set(resource, refused(500, "internal"));
    open(path);
    expect(await screen.findByRole("heading", { name: "That did not work" })).toBeTruthy();
    expect(screen.getByText("refused: internal")).toBeTruthy();
    await expectAccessible();
    answers.delete(resource);
    if (code) answers.set(resource, refused(404, code));
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("heading", { name: nothing })).toBeTruthy();
  });

  it("says when the server is out of reach, and that jobs go on", async () => {
    answers.set(resource, away);
    open(path);
    expect(await screen.findByRole("heading", { name: "LoreSmith cannot be reached" })).toBeTruthy();
    expect(screen.getByText(/Jobs that were started go on/)).toBeTruthy();
    await expectAccessible();
  });
});

describe("the forge", () => {
  it("is empty at first: a theme to pick and nothing chosen", async () => {
    open("/");
    expect(await screen.findByLabelText("Steampunk")).toBeTruthy();
    expect(screen.getAllByText("the model chooses")).toHaveLength(5);
    expect(screen.getByRole("button", { name: "Forge all five kinds" })).toBeTruthy();
    await expectAccessible();
  });

  it("shows blanks while cards are made, and the card that is there", async () => {
    const piece = { name: "Ada", description: "A smith", details: { role: "Smith" }, type: "character" };
    answers.set("POST /jobs", json(job({ items: [piece] }), 202));
    answers.set("/jobs/" + ID, json(job({ items: [piece] })));
    open("/");
    fireEvent.click(await screen.findByRole("button", { name: "Forge three characters" }));
    expect(await screen.findByRole("heading", { name: "Ada" })).toBeTruthy();
    expect(document.querySelectorAll(".ls-blank")).toHaveLength(2);
    await expectAccessible();
  });

  it("shows why a job failed, beside a way to try again", async () => {
    const failed = job({ status: "failed", state: "failed", done: true, error: "The model refused" });
    answers.set("POST /jobs", json(job(), 202));
    answers.set("/jobs/" + ID, json({ ...failed, seq: 3 }));
    open("/");
    fireEvent.click(await screen.findByRole("button", { name: "Forge three characters" }));
    expect(await screen.findByText("The model refused")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
    await expectAccessible();
  });

  it("says that it is offline, and that it looks again by itself", async () => {
    answers.set("/job-types", away);
    open("/");
    expect(await screen.findByText(/LoreSmith does not answer at the moment/)).toBeTruthy();
    await expectAccessible();
  });
});

describe("a job that takes long", () => {
  it.each(["/story/" + ID, "/my-jobs/" + ID])("is said to be slow at %s", async (path) => {
    answers.set("/jobs/" + ID, json(job({ started_at: LONG_AGO, created_at: LONG_AGO })));
    open(path);
    expect(await screen.findByText(/This takes longer than usual/)).toBeTruthy();
    await expectAccessible();
  });

  it("is said to wait for others while it is in the queue", async () => {
    const queue = { position: 3, expected_start: new Date(Date.now() + 130_000).toISOString() };
    const waiting = job({ status: "pending", state: "queued", progress: 0, created_at: LONG_AGO, queue });
    answers.set("/jobs/" + ID, json({ ...waiting, started_at: null }));
    open("/my-jobs/" + ID);
    expect(await screen.findByText(/Others are served first/)).toBeTruthy();
    expect(screen.getByText("third in the queue, starts in about 2 min")).toBeTruthy();
    await expectAccessible();
  });
});

describe("what was there", () => {
  it("a job that the server forgot while it was followed is shown as expired", async () => {
    answers.set("/jobs/" + ID, json(job()));
    open("/my-jobs/" + ID);
    await screen.findByRole("heading", { name: "Generate characters" });
    answers.set("/jobs/" + ID, refused(404, "job_not_found"));
    expect(await screen.findByText("Expired")).toBeTruthy();
    await expectAccessible();
  });

  it("a table with jobs has their states, and a search without a hit says so", async () => {
    const listed = { data: [job(), job({ id: ID.replace("1", "2"), status: "completed", progress: 100 })] };
    answers.set("/jobs", json({ ...listed, next_cursor: null }));
    const world = { id: ID, title: "The Drowned Library", theme: "norse-mythology", created_at: LONG_AGO };
    answers.set("/worlds", json({ data: [world], next_cursor: null }));
    const view = open("/my-jobs");
    expect(await screen.findAllByRole("row")).toHaveLength(3);
    await expectAccessible();
    view.unmount();
    open("/my-worlds");
    fireEvent.change(await screen.findByLabelText("Search"), { target: { value: "dragons" } });
    expect(screen.getByText(/No world has “dragons”/)).toBeTruthy();
    await expectAccessible();
  });

  it("what is wrong with a form is said at the field", async () => {
    const errors = [{ pointer: "/payload/theme", code: "blank", detail: "must not be blank" }];
    answers.set("POST /jobs", json({ code: "invalid_payload", detail: "no", retryable: false, errors }, 400));
    open("/submit/generate_characters");
    fireEvent.change(await screen.findByLabelText(/Theme/), { target: { value: " " } });
    fireEvent.click(screen.getByRole("button", { name: "Submit" }));
    expect(await screen.findByText("must not be blank")).toBeTruthy();
    expect(screen.getByText("Some of this is not right yet.")).toBeTruthy();
    await expectAccessible();
  });

  it("an address that is none leads back", async () => {
    open("/nowhere/at/all");
    expect(await screen.findByRole("heading", { name: "There is nothing here" })).toBeTruthy();
    await expectAccessible();
  });
});

describe("a server that asks for keys", () => {
  const KEY = "ls_right";
  const guarded = (request: Request, body: unknown) =>
    request.headers.get("Authorization") === `Bearer ${KEY}`
      ? json(body)(request)
      : refused(401, "unauthorized")(request);

  async function enter(key: string) {
    fireEvent.change(screen.getByLabelText("Your key"), { target: { value: key } });
    fireEvent.click(screen.getByRole("button", { name: "Open" }));
    await Promise.resolve();
  }

  beforeEach(() => {
    answers.set("/job-types", (request) => guarded(request, { data: [] }));
    answers.set("/worlds", (request) => guarded(request, { data: [], next_cursor: null }));
    answers.set("/me", (request) => guarded(request, { owner: "anna", admin: false }));
  });

  it("is entered with a key, which is kept for the tab only", async () => {
    open("/my-worlds");
    const gate = await screen.findByRole("dialog", { name: "The forge is locked." });
    expect(document.querySelector(".page")?.hasAttribute("inert")).toBe(true);
    await expectAccessible();
    await enter("ls_wrong");
    expect(await screen.findByText(/not known here/)).toBeTruthy();
    await enter(KEY);
    expect(await screen.findByText("No worlds yet")).toBeTruthy();
    expect(gate.isConnected).toBe(false);
    expect(sessionStorage.getItem("loresmith.access")).toContain(KEY);
    expect(localStorage.getItem("loresmith.access")).toBeNull();
    expect(screen.getByText("anna")).toBeTruthy();
    await expectAccessible();
  });

  it("may be out of reach when the key is tried", async () => {
    open("/my-worlds");
    await screen.findByRole("dialog");
    answers.set("/me", away);
    await enter(KEY);
    expect(await screen.findByText("The server cannot be reached.")).toBeTruthy();
  });
});
