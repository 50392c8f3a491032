/** A server that has people's own job types alone shows them and no forge of worlds. */
import { screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { ID, open, useApp } from "./opened";

vi.hoisted(() => {
  document.head.innerHTML = '<meta name="product" content="no" />';
});
useApp();

it("begins with the form of the first job type", async () => {
  open("/");

  expect(await screen.findByRole("heading", { name: "New job" })).toBeTruthy();
  expect(screen.getByRole("button", { name: "Submit" })).toBeTruthy();
  const places = screen.getByRole("navigation", { name: "Pages" }).querySelectorAll("a");
  expect([...places].map(({ textContent }) => textContent)).toEqual(["Jobs", "New job"]);
});

it.each(["/my-worlds", `/world/${ID}`, `/story/${ID}`])("has no page at %s", async (path) => {
  open(path);

  expect(await screen.findByRole("heading", { name: "There is nothing here" })).toBeTruthy();
  expect(screen.queryByText(/forge/i)).toBeNull();
});
