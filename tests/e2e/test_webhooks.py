"""A webhook through the whole of `loresmith run`, asked for by the client and read by the command line."""

from __future__ import annotations

import asyncio
from pathlib import Path

from standardwebhooks import Webhook as Verifier

from loresmith.client import AsyncJobsClient, Webhook, WebhookLog
from tests.e2e.conftest import ProcessOf, running
from tests.waiting import wait_until
from tests.webhooks.conftest import SECRET
from tests.webhooks.receiver import receiving


async def test_the_end_of_a_job_is_told(short_tmp: Path, forked: ProcessOf) -> None:
    data = short_tmp / "data"
    settings = {"webhook_secrets": SECRET, "webhook_allow_private": "1"}
    async with receiving(plain=True) as receiver, running(data, of=forked, **settings) as run:
        base_url, url = str(run.http.base_url), f"http://127.0.0.1:{receiver.port}/hooks?token=hush"
        async with AsyncJobsClient(base_url) as client:
            hook = Webhook(url, ["job.completed"])
            job = await client.submit("generate_characters", {"theme": "fantasy", "count": 1}, webhook=hook)
            log = await wait_until(lambda: _told(client, job.id), seconds=40)
            assert log is not None
        [got] = receiver.got
        assert Verifier(SECRET).verify(got.body, dict(got.headers))["data"] == await run.job(job.id)
        async with forked(data, "webhooks", job.id, url=base_url) as command:
            out, _ = await asyncio.wait_for(command.communicate(), 40)
        code, _ = await run.stop()
    assert code == 0
    lines = out.decode().splitlines()
    assert lines[0] == f"http://127.0.0.1:{receiver.port}/hooks?…  job.completed"
    assert lines[1] == f"msg_{job.id}_completed  delivered"
    assert "delivered 204" in lines[3]


async def _told(client: AsyncJobsClient, job_id: str) -> WebhookLog | None:
    log = await client.webhooks(job_id)
    return log if [one.state for one in log.data] == ["delivered"] else None
