/** A hook that has submitted a job and follows it. */
import { act, renderHook } from "@testing-library/react";
import { vi } from "vitest";
import { useJobPolling } from "../src/index.js";
import { newClient, page, REQUEST, settled, type Stage } from "./stage.js";

export async function started(key?: string, client = newClient(), stage: Stage = {}) {
  const onComplete = vi.fn();
  const onError = vi.fn();
  const view = renderHook(() => useJobPolling(onComplete, onError, key === undefined ? {} : { key }), {
    wrapper: page(client, stage),
  });
  await act(async () => {
    const sent = view.result.current.submit(REQUEST);
    await settled();
    await sent;
  });
  return {
    ...view,
    onComplete,
    onError,
    client,
    id: view.result.current.job!.id,
    hook: () => view.result.current,
  };
}
