/** Browsers as people have them: storage that is blocked, absent, full or broken, translated pages, large submits. */
import { act, render, renderHook, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import JobProgressSpinner from "@/components/jobs/JobProgressSpinner";
import type { Entry } from "@/lib/jobs/registry";
import type { Job } from "@/lib/jobs/types";
import { fetchPart } from "@/app/chunks";
import { tolerateTranslation } from "@/app/translated";
import { Boundary } from "@/app/ui/Boundary";
import { page, pass, REQUEST, settled, useApi } from "./stage";

const stage = useApi();
const NAMES = ["localStorage", "sessionStorage"] as const;
const REAL = NAMES.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)!] as const);

afterEach(() => REAL.forEach(([name, how]) => Object.defineProperty(globalThis, name, how)));

function refuse(): never {
  throw new DOMException("refused", "SecurityError");
}

function replaceBoth(get: () => unknown): void {
  NAMES.forEach((name) => Object.defineProperty(globalThis, name, { configurable: true, get }));
}

/** A storage that throws in some of its calls. */
const throwing = (...calls: string[]) =>
  Object.assign(
    Object.fromEntries(
      ["getItem", "setItem", "removeItem", "key"].map((name) => [
        name,
        calls.includes(name) ? refuse : () => null,
      ]),
    ),
    { length: 1 },
  );

const BROKEN: [string, () => unknown][] = [
  ["blocked", refuse],
  ["null", () => null],
  ["absent", () => undefined],
  ["full", () => throwing("setItem")],
  ["unreadable", () => throwing("getItem", "key")],
  ["broken", () => throwing("getItem", "setItem", "removeItem", "key")],
];

describe.each(BROKEN)("where storage is %s", (_, get) => {
  beforeEach(() => {
    vi.resetModules();
    replaceBoth(get);
  });

  it("hooks work in memory, and say so once", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { useJobPolling } = await import("@/lib/queries/jobs");
    const onComplete = vi.fn();
    const view = renderHook(() => useJobPolling(onComplete, undefined, { key: "forge" }), {
      wrapper: page(),
    });
    await act(async () => {
      const sent = view.result.current.submit(REQUEST);
      await settled();
      await sent;
    });
    const id = view.result.current.job!.id;
    view.unmount();
    const again = renderHook(() => useJobPolling(onComplete, undefined, { key: "forge" }), {
      wrapper: page(),
    });
    await pass(100);
    expect(again.result.current.job?.id, "found again on the same page").toBe(id);
    stage.api.complete(id);
    await pass(4_000);
    expect(onComplete).toHaveBeenCalledOnce();
    expect(again.result.current, "still there once its end was seen").toMatchObject({
      isCompleted: true,
      job: { id },
    });
    expect(warn).toHaveBeenCalledOnce();
  });
});

it("an open job is kept in a full storage at the price of those that were seen", async () => {
  vi.resetModules();
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { addEntry, changeEntry, entries } = await import("@/lib/jobs/registry");
  const add = (submission: string, changes: Partial<Entry> = {}) => {
    addEntry({ submission, key: "", type: "t", print: "" });
    changeEntry(submission, changes);
  };
  add("open", { jobId: "1" });
  add("old", { jobId: "2", dismissed: true });
  const put = Storage.prototype.setItem.bind(localStorage);
  const most = localStorage.length;
  vi.spyOn(Storage.prototype, "setItem").mockImplementation((name, value) => {
    if (localStorage.getItem(name) === null && localStorage.length >= most)
      throw new DOMException("full", "QuotaExceededError");
    put(name, value);
  });
  add("new", { jobId: "3" });
  expect(entries().map(({ submission }) => submission)).toEqual(["new", "open"]);
  expect(Object.keys(localStorage).sort()).toEqual(["loresmith.job:new", "loresmith.job:open"]);
  expect(warn).not.toHaveBeenCalled();
  add("more", { jobId: "4" });
  expect(entries().map(({ submission }) => submission)).toEqual(["more", "new", "open"]);
  expect(warn).toHaveBeenCalledOnce();
  changeEntry("new", { dismissed: true });
  changeEntry("more", { cancelled: true });
  expect(localStorage.getItem("loresmith.job:more"), "stored as soon as there is room").not.toBeNull();
});

it("what another program wrote in the storage breaks nothing", async () => {
  vi.resetModules();
  sessionStorage.setItem("loresmith.told", "{");
  sessionStorage.setItem("loresmith.submit:a", "{");
  localStorage.setItem("loresmith.job:a", "{");
  const { entries, markTold, stash, wasTold } = await import("@/lib/jobs/registry");
  expect([entries(), stash.get("a"), wasTold("1")]).toEqual([[], null, false]);
  markTold("1");
  expect(wasTold("1")).toBe(true);
});

it("where no storage events come, another tab's job is found on coming back", async () => {
  const { useOwnJobIds } = await import("@/lib/queries/jobs");
  const { result } = renderHook(() => useOwnJobIds(), { wrapper: page() });
  const entry = { submission: "x", key: "", type: "t", print: "", jobId: "7", at: Date.now() };
  localStorage.setItem("loresmith.job:x", JSON.stringify(entry));
  act(() => void window.dispatchEvent(new Event("focus")));
  expect(result.current).toEqual(["7"]);
});

it("a submit of more than 64 KiB is sent without keepalive, and so is what exceeds it together", async () => {
  const { send } = await import("@/lib/jobs/http");
  const kept: unknown[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation((_, options) => {
    kept.push(options?.keepalive ?? false);
    return Promise.resolve(new Response("{}"));
  });
  const post = (size: number) =>
    send("/jobs", { method: "POST", body: "ü".repeat(size / 2), keepalive: true });
  await post(70_000);
  await Promise.all([post(40_000), post(40_000)]);
  await post(40_000);
  expect(kept).toEqual([false, true, false, true]);
});

describe("a page that the browser translates", () => {
  /** What Chromium does: each text goes into elements of the translator. */
  function translate(root: HTMLElement): void {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    while (walker.nextNode()) texts.push(walker.currentNode as Text);
    for (const text of texts) {
      if (text.parentElement?.closest("[translate=no]")) continue;
      const font = document.createElement("font" as string);
      text.replaceWith(font);
      font.append(`«${text.data}»`);
    }
  }
  const job: Job = {
    id: "1",
    type: "t",
    status: "processing",
    progress: 20,
    seq: 1,
    message: "Generating...",
    created_at: new Date(0).toISOString(),
  };
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back as they were
  const { removeChild, insertBefore } = Node.prototype;
  afterEach(() => Object.assign(Node.prototype, { removeChild, insertBefore }));

  it("goes on showing percent and message", () => {
    const show = (changes: Partial<Job>) => <JobProgressSpinner job={{ ...job, ...changes }} />;
    const { container, rerender } = render(show({}));
    translate(container);
    rerender(show({ progress: 55, seq: 2, message: "Finalizing..." }));
    expect(container.querySelector("b")?.textContent).toBe("55 %");
    expect(container.querySelector(".ls-message")?.textContent).toBe("Finalizing...");
    translate(container);
    rerender(show({ status: "completed", progress: 100, seq: 3 }));
    expect(container.querySelector(".ls-message")?.textContent).toBe("Completed");
  });

  it("goes not blank where text comes and goes", () => {
    tolerateTranslation();
    const Mixed = ({ first, last }: { first: boolean; last: string }) => (
      <p>
        {first && "First. "}
        <b>Middle</b>
        {last}
      </p>
    );
    const { container, rerender } = render(<Mixed first last="Last" />);
    translate(container);
    rerender(<Mixed first={false} last="" />);
    rerender(<Mixed first last="" />);
    expect(container.textContent).toContain("First. ");
    expect(container.textContent).toContain("Middle");
  });
});

it("a page that breaks leaves a way to go on", () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  let isBroken = true;
  const Page = () => {
    if (isBroken) throw new Error("broken");
    return <p>Well</p>;
  };
  render(
    <Boundary>
      <Page />
    </Boundary>,
  );
  expect(screen.getByRole("alert").textContent).toContain("This page broke");
  isBroken = false;
  act(() => screen.getByRole("button", { name: "Try again" }).click());
  expect(screen.getByText("Well")).toBeTruthy();
});

describe("a part of the page that is gone after an upgrade", () => {
  const gone = () => Promise.reject(new TypeError("Failed to fetch dynamically imported module"));

  it("is tried again", async () => {
    const load = vi
      .fn(gone)
      .mockImplementationOnce(gone)
      .mockImplementationOnce(() => Promise.resolve(7 as never));
    const reload = vi.fn();
    const part = fetchPart(load, reload);
    await pass(600);
    expect(await part).toBe(7);
    expect(reload).not.toHaveBeenCalled();
  });

  it("has the page loaded afresh, once", async () => {
    const reload = vi.fn();
    void fetchPart(gone, reload);
    await pass(600);
    expect(reload).toHaveBeenCalledOnce();
    const second = fetchPart(gone, reload).catch((error: unknown) => error);
    await pass(600);
    expect(await second).toBeInstanceOf(TypeError);
    expect(reload).toHaveBeenCalledOnce();
  });

  it("never loads it afresh where that could not be remembered", async () => {
    replaceBoth(refuse);
    const reload = vi.fn();
    const failed = fetchPart(gone, reload).catch((error: unknown) => error);
    await pass(600);
    expect(await failed).toBeInstanceOf(TypeError);
    expect(reload).not.toHaveBeenCalled();
  });
});
