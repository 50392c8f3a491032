import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";
import { forgetBars } from "@/lib/jobs/bars";

configure({ asyncUtilTimeout: 10_000 });

afterEach(() => {
  cleanup();
  forgetBars();
  vi.useRealTimers();
  if (!("localStorage" in globalThis && "document" in globalThis)) return;
  localStorage.clear();
  sessionStorage.clear();
});
