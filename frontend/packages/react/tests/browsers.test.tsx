/** Browsers as people have them: storage that is blocked, absent, full or broken, translated pages, large submits. */
import { act, render, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createHttp } from "../src/client/http.js";
import { createRegistry, type Entry } from "../src/hooks/registry.js";
import {
  createBrowserStorage,
  type Job,
  JobProgressSpinner,
  useJobPolling,
  useOwnJobIds,
} from "../src/index.js";
import { page, pass, REQUEST, settled, useApi } from "./stage.js";

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
  beforeEach(() => replaceBoth(get));

  it("hooks work in memory, and say so once", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const wrapper = page();
    const onComplete = vi.fn();
    const view = renderHook(() => useJobPolling(onComplete, undefined, { key: "forge" }), { wrapper });
    await act(async () => {
      const sent = view.result.current.submit(REQUEST);
      await settled();
      await sent;
    });
    const id = view.result.current.job!.id;
    view.unmount();
    const again = renderHook(() => useJobPolling(onComplete, undefined, { key: "forge" }), { wrapper });
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

it("an open job is kept in a full storage at the price of those that were seen", () => {
  const warn = vi.fn();
  const { add: addEntry, change, entries } = createRegistry(createBrowserStorage(warn), "", "");
  const add = (submission: string, changes: Partial<Entry> = {}) => {
    addEntry({ submission, key: "", type: "t", print: "" });
    change("submission", submission, changes);
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
  change("submission", "new", { dismissed: true });
  change("submission", "more", { cancelled: true });
  expect(localStorage.getItem("loresmith.job:more"), "stored as soon as there is room").not.toBeNull();
});

it("what another program wrote in the storage breaks nothing", () => {
  sessionStorage.setItem("loresmith.submit:a", "{");
  localStorage.setItem("loresmith.job:a", "{");
  localStorage.setItem("loresmith.job:b", '{"submission": 1}');
  const { entries, isReported, markReported, stashed } = createRegistry(createBrowserStorage(), "", "");
  expect([entries(), stashed("a"), isReported("1")]).toEqual([[], null, false]);
  markReported("1");
  expect(isReported("1")).toBe(true);
});

it("where no storage events come, another tab's job is found on coming back", () => {
  const { result } = renderHook(() => useOwnJobIds(), { wrapper: page() });
  const entry = { submission: "x", key: "", type: "t", print: "", jobId: "7", at: Date.now() };
  localStorage.setItem("loresmith.job:x", JSON.stringify(entry));
  act(() => void window.dispatchEvent(new Event("focus")));
  expect(result.current).toEqual(["7"]);
});

it("a submit of more than 64 KiB is sent without keepalive, and so is what exceeds it together", async () => {
  const { send } = createHttp({});
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
});
