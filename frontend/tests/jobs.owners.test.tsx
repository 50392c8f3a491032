import { act, renderHook } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { keepFor, removeAll } from "@/lib/jobs/registry";
import { useJobPolling, useOwnJobIds } from "@/lib/queries/jobs";
import { page, useApi } from "./stage";
import { started } from "./started";

useApi();

describe("where callers show who they are", () => {
  afterEach(() => keepFor(""));

  it("each owner finds their own jobs, and forgets no other's", async () => {
    keepFor("anna/1");
    const { id, unmount, client } = await started("forge");
    unmount();
    keepFor("anna");
    const { result } = renderHook(
      () => [useJobPolling(undefined, undefined, { key: "forge" }), useOwnJobIds()],
      {
        wrapper: page(client),
      },
    );
    expect(result.current).toMatchObject([{ job: undefined }, []]);
    removeAll();
    act(() => keepFor("anna/1"));
    expect(result.current).toMatchObject([{ job: { id } }, [id]]);
    act(() => removeAll());
    expect(result.current[1]).toEqual([]);
  });
});
