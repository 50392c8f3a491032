/** What a job looks like to a client: the promised core, and additions that an older server may lack. */
import type { components } from "@/lib/api/schema";

type Described = components["schemas"]["JobObject"];
type Core = Pick<Described, "id" | "type" | "status" | "progress" | "message" | "created_at">;

export type Job<Result = unknown> = Core &
  Partial<Omit<Described, keyof Core | "result" | "items" | "eta" | "links">> & {
    result?: Result | null;
    items?: unknown[];
    eta?: Eta | null;
    links?: Partial<Described["links"]>;
  };
export type Eta = components["schemas"]["Eta"];
export type JobStatus = Described["status"];
export type JobType = components["schemas"]["JobTypeObject"];
export type Problem = components["schemas"]["ProblemObject"];

export interface SubmitRequest {
  type: string;
  payload: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  tags?: string[];
  priority?: "high" | "normal" | "low";
  run_at?: string;
  delay_seconds?: number;
  deadline_seconds?: number;
  max_attempts?: number;
}

/** How news of a job comes: `live` as events, `polling` by asking, `reconnecting` after a failed look. */
export type Connection = "idle" | "live" | "polling" | "reconnecting" | "offline";
