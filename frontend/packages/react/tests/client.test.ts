// @vitest-environment node
/** The client alone, as in Node: a real HTTP server, no React, no page. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, createJobsClient, type Job } from "../src/client.js";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const ID = "00000000-0000-4000-8000-000000000001";
const job = (changes: Partial<Job> = {}): Job => ({
  id: ID,
  type: "generate_relics",
  status: "processing",
  seq: 1,
  progress: 20,
  message: "",
  created_at: "2026-01-01T00:00:00Z",
  poll_after_ms: 1,
  items: [],
  ...changes,
});
const done = job({ status: "completed", seq: 9, progress: 100, result: ["a", "b"] });
const withEvents = job({ links: { events: `/jobs/${ID}/events` } });
const json =
  (body: unknown, status = 200): Answer =>
  (_, response) => {
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  };
/** A stream of events that stays open unless it is told to end. */
const events =
  (...sent: [name: string, data: unknown][]): Answer =>
  (_, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const [name, data] of sent) response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    if (sent.some(([name]) => name === "done" || name === "closed" || name === "end")) response.end();
  };

/** Answers in the order in which they are given; the last one stays. */
const answers = new Map<string, Answer[]>();
const asked: IncomingMessage[] = [];
const server = createServer((request, response) => {
  asked.push(request);
  const listed = answers.get(`${request.method} ${request.url?.split("?")[0]}`);
  const answer = (listed?.length ?? 0) > 1 ? listed?.shift() : listed?.[0];
  (answer ?? json({ code: "job_not_found", detail: "no job has this id", retryable: false }, 404))(
    request,
    response,
  );
});
const on = (path: string, ...listed: Answer[]) => answers.set(path, listed);
let baseUrl = "";

beforeEach(async () => {
  answers.clear();
  asked.length = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

async function all(stream: AsyncIterable<Job>): Promise<Job[]> {
  const found: Job[] = [];
  for await (const each of stream) found.push(each);
  return found;
}

describe("the client", () => {
  it("submits, with the caller's key and a key of the submit", async () => {
    on("POST /jobs", json(job(), 202));
    const client = createJobsClient({ baseUrl: `${baseUrl}/`, token: () => Promise.resolve("ls_1") });
    expect(await client.submit({ type: "generate_relics", payload: { theme: "x" } })).toMatchObject({
      id: ID,
    });
    expect(asked[0]?.headers).toMatchObject({
      authorization: "Bearer ls_1",
      "idempotency-key": expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
  });

  it("submits again with the same key when the server was away", async () => {
    on("POST /jobs", json({ retryable: true }, 503), json(job(), 202));
    await createJobsClient({ baseUrl }).submit({ type: "t", payload: {} });
    expect(new Set(asked.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
    expect(asked).toHaveLength(2);
  });

  it("waits by polling where there are no events, and sits out a server that is away", async () => {
    on(`GET /jobs/${ID}`, json(job()), json({ retryable: true, detail: "away" }, 503), json(done));
    expect(await createJobsClient({ baseUrl }).wait(ID)).toEqual(done);
  });

  it("streams the job after each event, resumes where it broke off, and ends with the job", async () => {
    on(`GET /jobs/${ID}`, json(withEvents));
    on(
      `GET /jobs/${ID}/events`,
      events(
        ["item", { index: 0, value: "a" }],
        ["progress", { ...job({ seq: 3, progress: 40 }) }],
        ["end", {}],
      ),
      events(["done", done]),
    );
    const seen = await all(createJobsClient({ baseUrl }).stream(ID));
    expect(seen.map(({ progress, items }) => [progress, items])).toEqual([
      [20, []],
      [20, ["a"]],
      [40, ["a"]],
      [100, []],
    ]);
    const streams = asked.filter(({ url }) => url?.endsWith("/events"));
    expect(streams.map(({ headers }) => headers["last-event-id"])).toEqual(["1", "3"]);
  });

  it("yields nothing twice while nothing changes", async () => {
    on(`GET /jobs/${ID}`, json(job()), json(job()), json(job()), json(done));
    expect(await all(createJobsClient({ baseUrl }).stream(ID))).toHaveLength(2);
  });

  it("throws when the stream is closed, and does not come back", async () => {
    on(`GET /jobs/${ID}`, json(withEvents));
    on(`GET /jobs/${ID}/events`, events(["closed", { reason: "revoked" }]));
    const onUnauthorized = vi.fn();
    const client = createJobsClient({ baseUrl, token: "ls_1", onUnauthorized });
    await expect(client.wait(ID)).rejects.toMatchObject({ status: 401, code: "credential_revoked" });
    expect(onUnauthorized).toHaveBeenCalledExactlyOnceWith("ls_1");
    expect(asked.filter(({ url }) => url?.endsWith("/events"))).toHaveLength(1);
  });

  it("asks for the token once more after a 401, and reports one that is refused", async () => {
    const tokens = ["old", "new", "new"];
    on(`GET /jobs/${ID}`, json({ detail: "who?" }, 401), json(job()), json({ detail: "who?" }, 401));
    const onUnauthorized = vi.fn();
    const client = createJobsClient({ baseUrl, token: () => tokens.shift() ?? "new", onUnauthorized });
    expect(await client.get(ID)).toMatchObject({ id: ID });
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(["Bearer old", "Bearer new"]);
    await expect(client.get(ID)).rejects.toThrow("who?");
    expect(onUnauthorized).toHaveBeenCalledExactlyOnceWith("new");
  });

  it("stops with its signal, and leaves the job alone", async () => {
    on(`GET /jobs/${ID}`, json(withEvents));
    on(`GET /jobs/${ID}/events`, events(["progress", job({ seq: 2, progress: 30 })]));
    const stop = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const { progress } of createJobsClient({ baseUrl }).stream(ID, { signal: stop.signal })) {
        seen.push(progress);
        if (progress === 30) stop.abort(new Error("enough"));
      }
    })();
    await expect(following).rejects.toThrow("enough");
    expect(seen).toEqual([20, 30]);
    expect(asked.every(({ method }) => method === "GET")).toBe(true);
  });

  it("cancels, retries and reads many", async () => {
    on(`POST /jobs/${ID}/cancel`, json(job({ state: "cancelling" }), 202));
    on(`POST /jobs/${ID}/retry`, json(job({ retry_of: ID }), 202));
    on("GET /jobs", json({ data: [job()], missing: ["b"] }));
    const client = createJobsClient({ baseUrl });
    expect((await client.cancel(ID)).state).toBe("cancelling");
    expect((await client.retry(ID)).retry_of).toBe(ID);
    expect(await client.getMany([ID, "b"])).toEqual([job()]);
    expect(asked.at(-1)?.url).toBe(`/jobs?ids=${ID},b`);
  });

  it("says what is wrong in one line", async () => {
    expect(() => createJobsClient({ baseUrl: "localhost:8080" })).toThrow(
      "baseUrl localhost:8080 must begin with http:// or https://",
    );
    const refusal = await createJobsClient().get(ID).catch(String);
    expect(refusal).toBe("ApiError: createJobsClient needs a baseUrl outside of a page");
    const away = createJobsClient({ baseUrl: "http://127.0.0.1:1" });
    await expect(away.get(ID)).rejects.toThrow("The server at http://127.0.0.1:1 cannot be reached");
    on(`GET /jobs/${ID}`, (_, response) => void response.end("<html>"));
    await expect(createJobsClient({ baseUrl }).get(ID)).rejects.toMatchObject({ code: "network" });
    await expect(createJobsClient({ baseUrl }).get("x/y")).rejects.toBeInstanceOf(ApiError);
    expect(asked.at(-1)?.url).toBe("/jobs/x%2Fy");
  });
});
