/** An API for tests of pages: each path answers as a test wants it to, or as an empty server would. */
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";

type Answer = (request: Request) => Response | Promise<Response>;

const TYPES = [
  {
    name: "generate_characters",
    description: "Writes characters",
    expected_seconds: 30,
    payload_schema: {
      type: "object",
      required: ["theme"],
      properties: {
        theme: { type: "string", description: "Kind of world", examples: ["fantasy", "steampunk"] },
        count: { type: "integer", default: 3, minimum: 1, maximum: 10 },
      },
    },
  },
];
const STATS = {
  queues: [
    {
      name: "default",
      paused: false,
      depth: { high: 0, normal: 0, low: 0 },
      running: 0,
      scheduled: 0,
      open: 0,
    },
  ],
  workers: [],
};
const EMPTY: Record<string, unknown> = {
  "/job-types": { data: TYPES },
  "/jobs": { data: [], next_cursor: null },
  "/worlds": { data: [], next_cursor: null },
  "/stats": STATS,
};

export const answers = new Map<string, Answer>();

export const server = setupServer(
  http.all("*", ({ request }) => {
    const { pathname } = new URL(request.url);
    const answer = answers.get(`${request.method} ${pathname}`) ?? answers.get(pathname);
    if (answer) return answer(request);
    return EMPTY[pathname] === undefined ? problem(404, "not_found") : HttpResponse.json(EMPTY[pathname]);
  }),
);

export const json =
  (body: unknown, status = 200): Answer =>
  () =>
    HttpResponse.json(body as object, { status });
export const never: Answer = () => new Promise<Response>(() => {});
export const away: Answer = () => HttpResponse.error();
export const refused =
  (status: number, code: string): Answer =>
  () =>
    problem(status, code);

function problem(status: number, code: string): Response {
  return HttpResponse.json({ code, detail: `refused: ${code}`, retryable: false, errors: [] }, { status });
}
