import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  if (!("localStorage" in globalThis && "document" in globalThis)) return;
  localStorage.clear();
  sessionStorage.clear();
});
