/** A scripted API behind MSW: jobs stand still until a test moves them. */
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import type { Job } from "../src/types.js";

type Mode = "up" | "down" | "hanging" | { status: number; headers?: Record<string, string> };

export class FakeApi {
  jobs = new Map<string, Job>();
  keys = new Map<string, string>();
  asked: string[] = [];
  /** Requests that were submitted. */
  bodies: unknown[] = [];
  /** The Authorization of each request. */
  tokens: (string | null)[] = [];
  mode: Mode = "up";
  offersEvents = false;
  /** A page of something in between, where events were asked for. */
  hasStrangeEvents = false;
  pollAfterMs: number | undefined;
  /** Called before a submit is answered; the job exists by then. */
  beforeAnswer: () => Promise<void> = () => Promise.resolve();
  streams = new Map<string, ReadableStreamDefaultController<Uint8Array>>();
  readonly server = setupServer(...this.handlers());

  get polls() {
    return this.asked.filter((each) => /^GET \/jobs(\/[^/]+$|\?)/.test(each));
  }
  get submits() {
    return this.asked.filter((each) => each === "POST /jobs");
  }

  change(id: string, changes: Partial<Job>): Job {
    const job = { ...this.jobs.get(id)!, ...changes };
    job.seq = changes.seq ?? (job.seq ?? 0) + 1;
    job.done = job.status === "completed" || job.status === "failed";
    this.jobs.set(id, job);
    return job;
  }
  complete(id: string, result: unknown = [{ name: "Ada" }]) {
    return this.change(id, { status: "completed", state: "completed", progress: 100, result });
  }
  fail(id: string, error = "The model refused") {
    return this.change(id, { status: "failed", state: "failed", error });
  }
  push(id: string, name: string, data: unknown, seq?: number) {
    const text = `event: ${name}\n${seq === undefined ? "" : `id: ${seq}\n`}data: ${JSON.stringify(data)}\n\n`;
    this.streams.get(id)!.enqueue(new TextEncoder().encode(text));
  }
  create(type = "generate_characters"): Job {
    const id = `00000000-0000-4000-8000-${String(this.jobs.size + 1).padStart(12, "0")}`;
    const job: Job = {
      id,
      type,
      status: "pending",
      state: "queued",
      done: false,
      seq: 1,
      progress: 0,
      message: "Preparing your request...",
      result: null,
      items: [],
      created_at: new Date().toISOString(),
      ...(this.pollAfterMs === undefined ? {} : { poll_after_ms: this.pollAfterMs }),
      links: { self: `/jobs/${id}`, ...(this.offersEvents ? { events: `/jobs/${id}/events` } : {}) },
    };
    this.jobs.set(id, job);
    return job;
  }

  private note(request: Request) {
    const { pathname, search } = new URL(request.url);
    this.asked.push(`${request.method} ${pathname}${search}`);
    this.tokens.push(request.headers.get("Authorization"));
  }
  private async refusal(): Promise<Response | null> {
    if (this.mode === "up") return null;
    if (this.mode === "down") return HttpResponse.error();
    if (this.mode === "hanging") return new Promise<Response>(() => {});
    const { status, headers } = this.mode;
    return HttpResponse.json(
      { code: "store_unavailable", detail: "away", retryable: status >= 429 },
      { status, headers: headers ?? {} },
    );
  }
  private handlers() {
    return [
      http.post("/jobs", async ({ request }) => {
        this.note(request);
        const refusal = await this.refusal();
        if (refusal) return refusal;
        const body = (await request.json()) as { type: string };
        this.bodies.push(body);
        const key = request.headers.get("Idempotency-Key")!;
        const id = this.keys.get(key) ?? this.create(body.type).id;
        this.keys.set(key, id);
        await this.beforeAnswer();
        return HttpResponse.json(this.jobs.get(id), { status: 202 });
      }),
      http.get("/jobs", async ({ request }) => {
        this.note(request);
        const refusal = await this.refusal();
        if (refusal) return refusal;
        const ids = new URL(request.url).searchParams.get("ids")!.split(",");
        const data = ids.flatMap((id) => this.jobs.get(id) ?? []);
        return HttpResponse.json({ data, missing: ids.filter((id) => !this.jobs.has(id)) });
      }),
      http.get("/jobs/:id", async ({ request, params }) => {
        this.note(request);
        return (await this.refusal()) ?? this.found(params.id as string);
      }),
      http.get("/jobs/:id/events", async ({ request, params }) => {
        this.note(request);
        const refusal = await this.refusal();
        if (refusal) return refusal;
        if (this.hasStrangeEvents) return new HttpResponse("<html>");
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => {
            this.streams.set(params.id as string, controller);
            controller.enqueue(new TextEncoder().encode("retry: 1000\n"));
          },
        });
        return new HttpResponse(body, { headers: { "Content-Type": "text/event-stream" } });
      }),
      http.post("/jobs/:id/cancel", ({ request, params }) => {
        this.note(request);
        const id = params.id as string;
        if (this.jobs.get(id)!.done) return this.found(id);
        const error = "Job was cancelled";
        return HttpResponse.json(this.change(id, { status: "failed", state: "cancelled", error }));
      }),
      http.post("/jobs/:id/retry", ({ request, params }) => {
        this.note(request);
        const failed = this.jobs.get(params.id as string)!;
        return HttpResponse.json(this.change(this.create(failed.type).id, { retry_of: failed.id }), {
          status: 202,
        });
      }),
    ];
  }
  private found(id: string): Response {
    const job = this.jobs.get(id);
    if (job) return HttpResponse.json(job);
    return HttpResponse.json(
      { code: "job_not_found", detail: "no job has this id", retryable: false },
      { status: 404 },
    );
  }
}
