/** Types of a job: the core of the HTTP contract, and additions that an older server may lack. */
import type { components } from "./schema.js";

/** Every object of the HTTP API by its name in the OpenAPI document. */
export type Schemas = components["schemas"];

type Described = Schemas["JobObject"];
type Core = Pick<Described, "id" | "type" | "status" | "progress" | "message" | "created_at">;

/** The type of the finished items of a job: that of the elements where the result is an array. */
export type ItemOf<Result> = Result extends readonly (infer Item)[] ? Item : unknown;

export type Job<Result = unknown, Item = ItemOf<Result>> = Core &
  Partial<Omit<Described, keyof Core | "result" | "items" | "eta" | "links">> & {
    result?: Result | null;
    items?: Item[];
    eta?: Eta | null;
    links?: Partial<Described["links"]>;
  };
export type Eta = Schemas["Eta"];
export type JobStatus = Described["status"];
export type JobType = Schemas["JobTypeObject"];
export type Problem = Schemas["ProblemObject"];

/** What a submit may have beside the type and the payload. */
export interface SubmitOptions {
  metadata?: Record<string, unknown>;
  tags?: string[];
  priority?: "high" | "normal" | "low";
  run_at?: string;
  delay_seconds?: number;
  deadline_seconds?: number;
  max_attempts?: number;
  webhook?: Schemas["WebhookRequest"];
}

export interface SubmitRequest<Payload extends object = object> extends SubmitOptions {
  type: string;
  payload: Payload;
}

/**
 * How news of a job arrives: `live` as events, `polling` by requests, `reconnecting` after a failed request.
 * `refused`: the server accepts the key or the origin no longer, and requests have stopped.
 */
export type Connection = "idle" | "live" | "polling" | "reconnecting" | "offline" | "refused";
