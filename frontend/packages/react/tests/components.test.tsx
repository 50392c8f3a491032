import { fireEvent, render, screen, within } from "@testing-library/react";
import axe from "axe-core";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { QUIET_MS } from "../src/components/announce.js";
import { JobErrorCard } from "../src/index.js";
import { JobProgressSpinner } from "../src/index.js";
import { JobsTray } from "../src/index.js";
import { PartialCards } from "../src/index.js";
import type { Job } from "../src/types.js";
import { newClient, page, pass, useApi } from "./stage.js";
import { started } from "./started.js";

const stage = useApi();
let tests = 0;
beforeEach(() => {
  tests += 1; // a job that was shown is remembered by its id
});
const job = (changes: Partial<Job> = {}): Job => ({
  id: String(tests),
  type: "generate_characters",
  status: "processing",
  progress: 40,
  message: "Generating characters...",
  created_at: "2026-01-01T00:00:00Z",
  eta: { seconds: 12, low: 8, high: 20 },
  ...changes,
});

async function expectAccessible(container: Element) {
  vi.useRealTimers();
  const { violations } = await axe.run(container, { rules: { region: { enabled: false } } });
  expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
}

describe("JobProgressSpinner", () => {
  it("shows a spinner, a bar and the message while a job runs", async () => {
    const { container } = render(<JobProgressSpinner job={job()} className="mine" />);
    const bar = screen.getByRole("progressbar", { name: "Generate characters" });
    expect(bar).toHaveProperty("ariaValueNow", "40");
    expect(bar.getAttribute("aria-valuetext")).toBe(
      "40 percent, Generating characters..., about 8 to 20 s left",
    );
    expect(container.querySelector(".ls-message")?.textContent).toBe("Generating characters...");
    expect(container.querySelector(".ls-spinner")).not.toBeNull();
    expect(container.firstElementChild?.classList.contains("mine")).toBe(true);
    await expectAccessible(container);
  });

  it.each(["completed", "failed"] as const)("stops when the job is %s", async (status) => {
    const ended = job({
      status,
      progress: 100,
      ...(status === "failed" ? { error: "The model refused" } : {}),
    });
    const { container } = render(<JobProgressSpinner job={ended} />);
    expect(container.querySelector(".ls-spinner")).toBeNull();
    await expectAccessible(container);
  });

  it("moves on by the ETA between two answers, and tells its value every 3 s at most", async () => {
    const { container } = render(<JobProgressSpinner job={job()} />);
    const bar = screen.getByRole("progressbar");
    const shown = () =>
      Number(/[\d.]+/.exec(container.querySelector<HTMLElement>(".ls-bar-done")!.style.transform));
    const values = new Set<string | null>();
    const widths = new Set<number>();
    for (let tick = 0; tick < 12; tick += 1) {
      await pass(500);
      widths.add(shown());
      values.add(bar.getAttribute("aria-valuenow"));
    }
    expect(shown()).toBeGreaterThan(0.5);
    expect(shown()).toBeLessThan(0.8);
    expect(widths.size).toBeGreaterThan(10);
    expect(values.size).toBeLessThanOrEqual(4);
    expect(bar.getAttribute("aria-valuetext")).toMatch(
      /^[45]\d percent, Generating characters..., about \d+ to (15|20) s left$/,
    );
  });

  it("goes in steps, and seldom, for those who want no motion", async () => {
    const { container } = render(<JobProgressSpinner job={job()} />);
    const query = vi.fn(() => ({ matches: true }) as MediaQueryList);
    vi.stubGlobal("matchMedia", query);
    const widths = new Set<string>();
    for (let tick = 0; tick < 12; tick += 1) {
      await pass(500);
      widths.add(container.querySelector<HTMLElement>(".ls-bar-done")!.style.transform);
    }
    vi.unstubAllGlobals();
    expect(widths.size).toBeLessThanOrEqual(4);
    for (const width of widths) expect(width).toMatch(/^scaleX\(0\.\d\d?\)$/);
  });

  it("shows one number in two places, and does not go back in a third", async () => {
    render(<JobProgressSpinner job={job()} />);
    await pass(5_000);
    render(<JobProgressSpinner job={job()} />);
    const [one, other] = screen.getAllByText(/^\d+ %$/);
    expect(one?.textContent).toBe(other?.textContent);
    expect(Number.parseInt(one?.textContent ?? "")).toBeGreaterThan(45);
  });

  it("is not held up where an older answer is shown beside it, as in a table", async () => {
    render(<JobProgressSpinner job={job({ seq: 7, progress: 50 })} />);
    render(<JobProgressSpinner job={job({ seq: 6, progress: 45 })} />);
    await pass(3_000);
    const [one, other] = screen.getAllByText(/^\d+ %$/);
    expect(Number.parseInt(one?.textContent ?? "")).toBeGreaterThan(53);
    expect(other?.textContent).toBe(one?.textContent);
  });

  it("shows the error of a job that failed, and no bar", () => {
    const { container } = render(
      <JobProgressSpinner job={job({ status: "failed", error: "The model refused" })} />,
    );
    expect(container.querySelector(".ls-error")?.textContent).toBe("The model refused");
    expect(screen.queryByRole("progressbar")).toBeNull();
  });

  it("leaves out bar and message when asked to, and everything without a job", () => {
    const { container, rerender } = render(
      <JobProgressSpinner job={job()} showProgress={false} showMessage={false} />,
    );
    expect(screen.queryByRole("progressbar")).toBeNull();
    expect(container.querySelector(".ls-message")).toBeNull();
    rerender(<JobProgressSpinner job={undefined} />);
    expect(container.innerHTML).toBe("");
  });

  it("tells a screen reader of progress every 10 s at most, and of the end at once", async () => {
    const { container, rerender } = render(<JobProgressSpinner job={job({ progress: 20, eta: null })} />);
    const told = () => container.querySelector("[aria-live]")?.textContent;
    rerender(<JobProgressSpinner job={job({ progress: 30, eta: null })} />);
    await pass(50);
    expect(told()).toContain("30 percent");
    for (let progress = 31; progress < 60; progress += 1)
      rerender(<JobProgressSpinner job={job({ progress, eta: null })} />);
    await pass(QUIET_MS - 1_000);
    expect(told()).toContain("30 percent");
    await pass(1_500);
    expect(told()).toContain("59 percent");
    rerender(<JobProgressSpinner job={job({ status: "failed", error: "The model refused" })} />);
    await pass(50);
    expect(told()).toContain("The model refused");
  });

  it("tells the place in the queue of a job that waits", () => {
    render(
      <JobProgressSpinner
        job={job({ status: "pending", progress: 0, queue: { position: 4, expected_start: null } })}
      />,
    );
    expect(screen.getByText("fourth in the queue")).toBeTruthy();
  });
});

describe("JobErrorCard", () => {
  it("says what happened and what may help, and retries once per click", async () => {
    const onRetry = vi.fn(() => new Promise<void>(() => {}));
    const failed = job({ status: "failed", error: "no answer within 90 s", items: [{}] });
    failed.error_detail = {
      code: "provider_timeout",
      message: "",
      retryable: true,
      retry_after_seconds: null,
    };
    const { container } = render(<JobErrorCard job={failed} onRetry={onRetry} onDismiss={vi.fn()} />);
    expect(screen.getByRole("alert").textContent).toContain(
      "Trying again often helps. What was finished (1) is kept.",
    );
    const button = screen.getByRole("button", { name: "Go on from there" });
    fireEvent.click(button);
    fireEvent.click(button);
    expect(onRetry).toHaveBeenCalledOnce();
    await expectAccessible(container);
  });

  it("shows why a retry was refused", async () => {
    const refuse = () => Promise.reject(new Error("too many jobs"));
    render(<JobErrorCard job={job({ status: "failed", error: "x" })} onRetry={refuse} />);
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await pass(10);
    expect(screen.getByText("too many jobs")).toBeTruthy();
  });
});

describe("PartialCards", () => {
  it("shows what is finished and a blank for each that is not, and no blank afterwards", async () => {
    const cards = (items: string[], isPending: boolean) => (
      <PartialCards
        items={items}
        count={3}
        isPending={isPending}
        label="Relics"
        render={(item) => item}
        keyOf={String}
      />
    );
    const { container, rerender } = render(cards(["Cup"], true));
    expect(screen.getAllByRole("listitem")).toHaveLength(1);
    expect(container.querySelectorAll(".ls-blank")).toHaveLength(2);
    await expectAccessible(container);
    rerender(cards(["Cup", "Bell"], false));
    expect(container.querySelectorAll(".ls-blank")).toHaveLength(0);
  });
});

describe("JobsTray", () => {
  it("is not there when there is nothing to tell", () => {
    const { container } = render(<JobsTray link={(_, text) => text} />, { wrapper: page() });
    expect(container.innerHTML).toBe("");
  });

  it("lists open jobs, which can be stopped, and ended ones, which can be put away", async () => {
    const client = newClient();
    const { id, unmount } = await started("somewhere", client);
    unmount();
    const { container } = render(<JobsTray link={(job, text) => <a href={`#${job.id}`}>{text}</a>} />, {
      wrapper: page(client),
    });
    await pass(50);
    const tray = screen.getByRole("complementary", { name: "Your jobs" });
    fireEvent.click(within(tray).getByRole("button", { name: "1 under way" }));
    fireEvent.click(within(tray).getByRole("button", { name: "Stop Generate characters" }));
    await pass(50);
    expect(stage.api.jobs.get(id)?.state).toBe("cancelled");
    expect(within(tray).getByRole("button", { name: "1 ended" })).toBeTruthy();
    fireEvent.click(within(tray).getByRole("button", { name: "Put Generate characters away" }));
    await pass(50);
    expect(screen.queryByRole("complementary")).toBeNull();
    await expectAccessible(container);
  });
});
