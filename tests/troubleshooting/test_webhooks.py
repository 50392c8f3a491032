"""Rows about webhooks that do not arrive."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Start, free_port
from tests.troubleshooting.conftest import Row
from tests.waiting import wait_until
from tests.webhooks.conftest import SECRET
from tests.webhooks.receiver import receiving

pytestmark = pytest.mark.long  # each starts LoreSmith twice

ASKED = {"type": "generate_relics", "payload": {"theme": "fantasy", "count": 1}}


async def test_webhook_refused(row: Row, start: Start) -> None:
    settings = {"webhook_secrets": SECRET, "port": str(free_port())}
    async with receiving() as receiver:
        run = await start(**settings)
        asked = {**ASKED, "webhook": {"url": f"https://localhost:{receiver.port}/hooks"}}
        job_id = (await run.http.post("/jobs", json=asked)).json()["id"]
        await row.until_told("refused", "webhooks", job_id, url=str(run.http.base_url))
        assert receiver.got == []
        await run.stop()
    async with receiving(plain=True) as receiver:
        again = await start(**settings, webhook_allow_private="1")
        asked = {**ASKED, "webhook": {"url": f"http://localhost:{receiver.port}/hooks"}}
        assert (await again.http.post("/jobs", json=asked)).status_code == 202
        await wait_until(lambda: receiver.got, seconds=40)
    row.judge()


async def test_webhook_without_secret(row: Row, start: Start) -> None:
    asked = {**ASKED, "webhook": {"url": "https://example.com/hooks", "events": ["job.failed"]}}
    run = await start()
    answer = await run.http.post("/jobs", json=asked)
    assert answer.status_code in (400, 422)
    row.saw(answer.text)
    await run.stop()
    again = await start(webhook_secrets=SECRET)
    assert (await again.http.post("/jobs", json=asked)).status_code == 202
    row.judge()
