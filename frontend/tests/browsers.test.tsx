/** Browsers as people have them: translated pages, parts of the page that are gone. */
import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fetchPart } from "@/app/chunks";
import { tolerateTranslation } from "@/app/translated";
import { Boundary } from "@/app/ui/Boundary";

const NAMES = ["localStorage", "sessionStorage"] as const;
const REAL = NAMES.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)!] as const);

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => REAL.forEach(([name, how]) => Object.defineProperty(globalThis, name, how)));

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
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back as they were
  const { removeChild, insertBefore } = Node.prototype;
  afterEach(() => Object.assign(Node.prototype, { removeChild, insertBefore }));

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
    await vi.advanceTimersByTimeAsync(600);
    expect(await part).toBe(7);
    expect(reload).not.toHaveBeenCalled();
  });

  it("has the page loaded afresh, once", async () => {
    const reload = vi.fn();
    void fetchPart(gone, reload);
    await vi.advanceTimersByTimeAsync(600);
    expect(reload).toHaveBeenCalledOnce();
    const second = fetchPart(gone, reload).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(600);
    expect(await second).toBeInstanceOf(TypeError);
    expect(reload).toHaveBeenCalledOnce();
  });

  it("never loads it afresh where that could not be remembered", async () => {
    const get = () => {
      throw new DOMException("refused", "SecurityError");
    };
    NAMES.forEach((name) => Object.defineProperty(globalThis, name, { configurable: true, get }));
    const reload = vi.fn();
    const failed = fetchPart(gone, reload).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(600);
    expect(await failed).toBeInstanceOf(TypeError);
    expect(reload).not.toHaveBeenCalled();
  });
});
