"""Receivers hear of the ends of jobs: of each end that they want, signed, at least once, under one id."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel
from standardwebhooks import Webhook

from loresmith.bootstrap import build_deliveries
from loresmith.jobs import EndedJob, Job, JobContext, PermanentError, job_type
from loresmith.jobs.types import JobInput
from loresmith.webhooks import Deliveries, Feed, Sender, Subscription
from loresmith.webhooks.feed import RECEIVERS_SHARE
from loresmith.webhooks.message import MOST_BYTES
from tests.loaded import Child, Loaded
from tests.redis.conftest import Engine
from tests.waiting import wait_until
from tests.webhooks.conftest import OTHER_SECRET, SECRET, sender_to
from tests.webhooks.receiver import Receiver, hang_up, never
from tests.webhooks.telling import (
    delivery_ended,
    delivery_of,
    make_due,
    next_wait,
    telling,
    telling_options,
)

WAITS = (5, 300, 1_800, 7_200, 18_000, 36_000)
go_on = asyncio.Event()


class Order(BaseModel):
    """How to end."""

    end: Literal["completed", "failed", "never"] = "completed"
    size: int = 1


@job_type("obey")
async def obey(ctx: JobContext[Order]) -> str:
    if ctx.payload.end == "failed":
        raise PermanentError("as you wish", code="content_refused")
    if ctx.payload.end == "never":
        await asyncio.Event().wait()
    return "x" * ctx.payload.size


@pytest.fixture
async def engine(redis_url: str) -> AsyncIterator[Engine]:
    async with AsyncExitStack() as stack:
        yield Engine(redis_url, stack)


async def submitted(engine: Engine, receiver: Receiver, *events: str, end: str = "completed", **options: Any) -> Job:
    asked = telling_options(receiver.url(), *events, **options)
    return await engine.manager.create("obey", {"end": end}, asked)


async def test_the_end_of_a_job_is_told_and_signed_with_both_secrets(
    engine: Engine, receiver: Receiver, sender: Sender
) -> None:
    await engine.worker(obey)
    async with telling(engine.url, sender, secrets=[SECRET, OTHER_SECRET], root_path="/lore"):
        job = await submitted(engine, receiver)
        await wait_until(lambda: receiver.got)
    [got] = receiver.got
    for secret in (SECRET, OTHER_SECRET):
        message = Webhook(secret).verify(got.body, dict(got.headers))
        assert (message["type"], message["data"]["id"], message["data"]["result"]) == ("job.completed", job.id, "x")
        assert message["timestamp"] == message["data"]["completed_at"]
        assert message["data"]["links"]["self"] == f"/lore/jobs/{job.id}"
    assert got.headers["webhook-id"] == f"msg_{job.id}_completed"
    assert b"hush" not in got.body


async def test_each_end_is_told_to_those_who_want_it(engine: Engine, receiver: Receiver, sender: Sender) -> None:
    await engine.worker(obey)
    ends: list[tuple[str, Literal["completed", "failed", "never"]]] = [
        ("job.completed", "completed"),
        ("job.failed", "failed"),
        ("job.cancelled", "never"),
    ]
    wanted: set[tuple[str, str]] = set()
    async with telling(engine.url, sender, secrets=[SECRET]):
        for event, end in ends:
            everything = await submitted(engine, receiver, end=end)
            only_this = await submitted(engine, receiver, event, end=end)
            others = await submitted(
                engine, receiver, *({"job.completed", "job.failed", "job.cancelled"} - {event}), end=end
            )
            nobody = await engine.manager.create("obey", {"end": end})
            wanted |= {(everything.id, event), (only_this.id, event)}
            for job in (everything, only_this, others, nobody):
                if end == "never":
                    await engine.manager.cancel(job.id)
                await engine.ended(job.id)
        await wait_until(lambda: len(receiver.got) >= 6)
        last = await submitted(engine, receiver)
        await wait_until(lambda: len(receiver.got) >= 7)
    told = {(got.document["data"]["id"], got.document["type"]) for got in receiver.got}
    assert told == wanted | {(last.id, "job.completed")}
    assert len(receiver.got) == 7


async def test_what_fails_is_tried_by_the_schedule_under_one_id(
    engine: Engine, redis: Any, receiver: Receiver, sender: Sender
) -> None:
    receiver.answers += [500, 404, 301, hang_up, 429, 503, 500]
    await engine.worker(obey)
    async with telling(engine.url, sender, secrets=[SECRET]):
        job = await submitted(engine, receiver)
        for attempt, wait in enumerate(WAITS, 2):
            assert wait - 5 < await next_wait(redis, job.id, "job.completed", attempt) <= wait * 1.1
            await make_due(redis)
        view = await delivery_ended(redis, job.id, "job.completed")
    assert view.job.state == "failed"
    assert len(receiver.got) == 7
    assert {got.headers["webhook-id"] for got in receiver.got} == {f"msg_{job.id}_completed"}
    assert len({got.body for got in receiver.got}) == 1
    for got in receiver.got:
        Webhook(SECRET).verify(got.body, dict(got.headers))
    [delivery] = await Deliveries(build_deliveries(redis)).of(*await engine.manager.attached(job.id))
    assert (delivery.state, delivery.next_try_at) == ("failed", None)
    assert [one.status for one in delivery.tries] == [500, 404, 301, None, 429, 503, 500]


def test_all_tries_are_inside_the_day_that_a_job_is_kept() -> None:
    assert sum(WAITS) * 1.1 + 7 * 15 < 86_400


async def test_the_log_tells_of_tries_and_of_the_next(
    engine: Engine, redis: Any, receiver: Receiver, sender: Sender
) -> None:
    receiver.answers.append(503)
    await engine.worker(obey)
    deliveries = Deliveries(build_deliveries(redis))
    async with telling(engine.url, sender, secrets=[SECRET]):
        job = await submitted(engine, receiver)
        await next_wait(redis, job.id, "job.completed", 2)
        [waiting] = await deliveries.of(*await engine.manager.attached(job.id))
        await make_due(redis)
        await delivery_ended(redis, job.id, "job.completed")
    [done] = await deliveries.of(*await engine.manager.attached(job.id))
    assert (waiting.state, [one.outcome for one in waiting.tries]) == ("pending", ["rejected"])
    assert waiting.next_try_at is not None
    assert (done.state, [one.outcome for one in done.tries]) == ("delivered", ["rejected", "delivered"])
    assert done.next_try_at is None
    assert await redis.ttl(f"job:{(await _view(redis, job)).job.id}") > 86_000


async def _view(redis: Any, job: Job) -> Any:
    return await delivery_of(redis, job.id, "job.completed")


async def test_a_receiver_that_is_gone_is_not_asked_again(
    engine: Engine, redis: Any, receiver: Receiver, sender: Sender
) -> None:
    receiver.answers.append(410)
    await engine.worker(obey)
    async with telling(engine.url, sender, secrets=[SECRET]):
        job = await submitted(engine, receiver)
        view = await delivery_ended(redis, job.id, "job.completed")
    assert view.job.error_detail
    assert (view.job.error_detail.code, len(receiver.got)) == ("gone", 1)


async def test_a_job_that_was_deleted_is_not_told_of(
    engine: Engine, redis: Any, receiver: Receiver, sender: Sender
) -> None:
    receiver.answers.append(500)
    await engine.worker(obey)
    async with telling(engine.url, sender, secrets=[SECRET]):
        job = await submitted(engine, receiver)
        await next_wait(redis, job.id, "job.completed", 2)
        await engine.manager.delete(job.id)
        await make_due(redis)
        view = await delivery_ended(redis, job.id, "job.completed")
    assert view.job.error_detail
    assert (view.job.error_detail.code, len(receiver.got)) == ("job_not_found", 1)


async def test_a_result_that_is_too_large_is_left_out_and_said(
    engine: Engine, receiver: Receiver, sender: Sender
) -> None:
    await engine.worker(obey)
    async with telling(engine.url, sender, secrets=[SECRET]):
        job = await engine.manager.create("obey", {"size": MOST_BYTES}, telling_options(receiver.url()))
        await wait_until(lambda: receiver.got)
    [got] = receiver.got
    message = got.document
    assert len(got.body) < 4_000
    assert (message["omitted"], message["fetch"]) == (["result", "items"], f"/jobs/{job.id}")
    assert (message["data"]["result"], message["data"]["status"]) == (None, "completed")


async def test_an_end_that_is_followed_twice_is_told_once(
    engine: Engine, redis: Any, receiver: Receiver, sender: Sender
) -> None:
    """By readers side by side, too: the id of a delivery follows from that of the job."""
    await engine.worker(obey)
    job = await submitted(engine, receiver)
    ended = await engine.ended(job.id)
    attached = Subscription(receiver.url()).attached
    given = EndedJob(ended, JobInput(payload=b"{}", owner="local", root_job_id=job.id, attached=attached))  # pyright: ignore[reportArgumentType]
    async with telling(engine.url, sender, secrets=[SECRET]):
        await asyncio.gather(*(Feed(build_deliveries(redis)).follow([given]) for _ in range(5)))
        await delivery_ended(redis, job.id, "job.completed")
        await Feed(build_deliveries(redis)).follow([given])
        last = await submitted(engine, receiver)
        await delivery_ended(redis, last.id, "job.completed")
    assert [got.document["data"]["id"] for got in receiver.got] == [job.id, last.id]


async def test_receivers_that_are_slow_hold_up_neither_jobs_nor_other_owners(
    engine: Engine, redis: Any, receiver: Receiver
) -> None:
    receiver.answers += [never] * RECEIVERS_SHARE
    await engine.worker(obey, concurrency=4)
    async with telling(engine.url, sender_to(receiver, seconds=60), secrets=[SECRET]):
        slow = [await submitted(engine, receiver, owner="anna") for _ in range(80)]
        for job in slow:
            await engine.ended(job.id)
        await wait_until(lambda: len(receiver.got) == RECEIVERS_SHARE)
        quick = await submitted(engine, receiver, owner="bert")
        await delivery_ended(redis, quick.id, "job.completed")
        assert len(receiver.got) == RECEIVERS_SHARE + 1
        receiver.cut()


@pytest.mark.timeout(120)
async def test_a_delivery_survives_the_kill_of_its_process(
    engine: Engine, redis: Any, receiver: Receiver, sender: Sender, tmp_path: Path, loaded: Loaded
) -> None:
    receiver.answers.append(never)
    receiver.authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    await engine.worker(obey)
    job = await submitted(engine, receiver)
    process = await _process(loaded, engine.url, tmp_path / "ca.pem")
    try:
        await wait_until(lambda: receiver.got, seconds=60)
    finally:
        process.kill()
        await process.communicate()
    async with telling(engine.url, sender, secrets=[SECRET]):
        view = await delivery_ended(redis, job.id, "job.completed")
    assert (view.job.state, view.job.rescues, view.job.attempt) == ("completed", 1, 1)
    assert [got.headers["webhook-id"] for got in receiver.got] == [f"msg_{job.id}_completed"] * 2
    [delivery] = await Deliveries(build_deliveries(redis)).of(*await engine.manager.attached(job.id))
    assert [one.outcome for one in delivery.tries] == ["started", "delivered"]


async def _process(loaded: Loaded, url: str, authority: Path) -> Child:
    environment = {**os.environ, "SSL_CERT_FILE": str(authority)}
    return await loaded.run("-m", "tests.webhooks.delivering_process", url, SECRET, environment=environment)


async def test_logs_name_the_receiver_by_its_host(
    engine: Engine, redis: Any, receiver: Receiver, sender: Sender, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.answers.append(500)
    await engine.worker(obey)
    async with telling(engine.url, sender, secrets=[SECRET]):
        job = await submitted(engine, receiver)
        await next_wait(redis, job.id, "job.completed", 2)
    told = capsys.readouterr().out
    assert f"hooks.test:{receiver.port}" in told
    assert "hush" not in told
    assert "/hooks" not in told
    assert SECRET not in told
