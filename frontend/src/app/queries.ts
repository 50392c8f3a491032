/** The query cache of the page. */
import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "@loresmith/react";

const RETRIES = 3;

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: "always",
      staleTime: 2_000,
      retry: (failures, error) => failures < RETRIES && error instanceof ApiError && error.isRetryable,
      retryDelay: (failures, error) =>
        (error instanceof ApiError ? error.retryAfterMs : undefined) ?? 1_000 * 2 ** failures,
    },
    mutations: { networkMode: "always" },
  },
});
