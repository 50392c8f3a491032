import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";
import { forgetBars } from "@/lib/jobs/bars";

afterEach(() => {
  cleanup();
  forgetBars();
  vi.useRealTimers();
  if (!("localStorage" in globalThis && "document" in globalThis)) return;
  localStorage.clear();
  sessionStorage.clear();
});
