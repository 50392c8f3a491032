import { act, renderHook } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import {
  createBrowserStorage,
  createJobsClient,
  forgetJobs,
  useJobPolling,
  useOwnJobIds,
} from "../src/index.js";
import { newClient, page, useApi } from "./stage.js";
import { started } from "./started.js";

useApi();

describe("where callers show who they are", () => {
  it("each owner finds their own jobs, and forgets no other's", async () => {
    const jobs = createJobsClient();
    const queries = newClient();
    const use = () => [useJobPolling(undefined, undefined, { key: "forge" }), useOwnJobIds()] as const;
    const as = (owner: string) => renderHook(use, { wrapper: page(queries, { jobs, owner }) }).result;
    const { id, unmount } = await started("forge", queries, { jobs, owner: "anna/1" });
    unmount();
    expect(as("anna").current).toMatchObject([{ job: undefined }, []]);
    forgetJobs(queries, jobs, "anna");
    const own = as("anna/1");
    expect(own.current).toMatchObject([{ job: { id } }, [id]]);
    act(() => forgetJobs(queries, jobs, "anna/1"));
    expect(own.current[1]).toEqual([]);
  });

  it("two backends on one page keep their jobs apart", async () => {
    const storage = createBrowserStorage();
    const [one, other] = [createJobsClient(), createJobsClient({ name: "other" })];
    const queries = newClient();
    const { id } = await started("forge", queries, { jobs: one, storage });
    const use = () => [useJobPolling(undefined, undefined, { key: "forge" }), useOwnJobIds()] as const;
    const wrapper = page(queries, { jobs: other, storage });
    expect(renderHook(use, { wrapper }).result.current).toMatchObject([{ job: undefined }, []]);
    const own = page(queries, { jobs: one, storage });
    expect(renderHook(use, { wrapper: own }).result.current).toMatchObject([{ job: { id } }, [id]]);
  });
});
