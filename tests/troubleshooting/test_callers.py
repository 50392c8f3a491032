"""Rows about requests that are refused, and servers that are not found."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Run, Start, free_port
from tests.troubleshooting.conftest import Row
from tests.waiting import wait_until

pytestmark = pytest.mark.long  # each starts LoreSmith once or twice


async def test_no_server(row: Row, start: Start) -> None:
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    await row.loresmith("list", url=url)
    assert row.codes[-1] == 4
    await row.loresmith("doctor", url=url)
    await start(port=port)
    await row.loresmith("list", url=url)
    assert row.codes[-1] == 0
    row.judge()


async def test_no_key(row: Row, start: Start) -> None:
    port = str(free_port())
    settings = {"auth": "keys", "port": port}
    run = await start(**settings)
    assert (await row.get(run, "/jobs")).status_code == 401
    url = f"http://127.0.0.1:{port}"
    await row.loresmith("list", url=url)
    assert row.codes[-1] == 5
    await row.loresmith("doctor", **settings)
    key = (await row.loresmith("keys", "create", "anna", **settings)).split()[0]

    async def is_let_in() -> bool:
        await row.loresmith("list", url=url, api_key=key)
        return row.codes[-1] == 0

    await wait_until(is_let_in)
    row.judge()


async def test_name_not_known(row: Row, start: Start) -> None:
    run = await start()
    assert (await row.get(run, "/jobs", Host="lore.example")).status_code == 400
    await run.stop()
    again = await start(allowed_hosts="lore.example")
    assert (await row.get(again, "/jobs", Host="lore.example")).status_code == 200
    row.judge()


async def test_page_of_another_origin(row: Row, start: Start) -> None:
    job = {"type": "generate_characters", "payload": {"theme": "fantasy"}}
    origin = {"Origin": "https://app.example"}
    run = await start()
    answer = await run.http.post("/jobs", json=job, headers=origin)
    assert answer.status_code == 403
    row.saw(answer.text)
    await run.stop()
    again = await start(cors_origins="https://app.example")
    assert (await again.http.post("/jobs", json=job, headers=origin)).status_code == 202
    row.judge()


async def _with_key(row: Row, start: Start, **settings: str) -> Run:
    """A server that asks for keys, and a caller who has one."""
    key = (await row.loresmith("keys", "create", "anna", auth="keys")).split()[0]
    run = await start(auth="keys", **settings)
    run.http.headers["Authorization"] = f"Bearer {key}"
    return run


async def test_too_many_requests(row: Row, start: Start) -> None:
    run = await _with_key(row, start, owner_requests_per_minute="60")

    async def is_refused() -> bool:
        return (await row.get(run, "/jobs")).status_code == 429

    await wait_until(is_refused)

    async def is_let_in_again() -> bool:
        return (await row.get(run, "/jobs")).status_code == 200

    await wait_until(is_let_in_again)
    row.judge()


async def test_too_many_jobs(row: Row, start: Start) -> None:
    run = await _with_key(row, start, owner_active_jobs="2", model="fake?seconds=60")
    ids = [await run.submit(1) for _ in range(2)]
    answer = await run.http.post("/jobs", json={"type": "generate_characters", "payload": {"theme": "fantasy"}})
    assert answer.status_code == 429
    row.saw(answer.text)
    await run.http.post(f"/jobs/{ids[0]}/cancel")
    await run.ended(ids[0])
    await run.submit(1)
    row.judge()


async def test_key_used_before(row: Row, start: Start) -> None:
    run = await start()
    job = {"type": "generate_characters", "payload": {"theme": "fantasy"}}
    other = {"type": "generate_characters", "payload": {"theme": "steampunk"}}
    key = {"Idempotency-Key": "one"}
    assert (await run.http.post("/jobs", json=job, headers=key)).status_code == 202
    answer = await run.http.post("/jobs", json=other, headers=key)
    assert answer.status_code == 422
    row.saw(answer.text)
    assert (await run.http.post("/jobs", json=other, headers={"Idempotency-Key": "two"})).status_code == 202
    row.judge()
