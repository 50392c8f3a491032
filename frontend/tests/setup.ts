import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

configure({ asyncUtilTimeout: 10_000 });

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  if (!("localStorage" in globalThis && "document" in globalThis)) return;
  localStorage.clear();
  sessionStorage.clear();
});
