"""Attacks on webhooks: receivers that are dead or slow hold up no other receiver of their owner."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pydantic import BaseModel

from loresmith.jobs import Job, JobContext, job_type
from loresmith.webhooks.feed import OWNERS_SHARE, RECEIVERS_SHARE
from tests.redis.conftest import Engine
from tests.waiting import wait_until
from tests.webhooks.conftest import SECRET, sender_to
from tests.webhooks.receiver import Receiver, receiving
from tests.webhooks.telling import next_wait, telling, telling_options


class Nothing(BaseModel):
    """No fields."""


@job_type("end_at_once")
async def end_at_once(ctx: JobContext[Nothing]) -> str:
    return "done"


@pytest.fixture
async def engine(redis_url: str) -> AsyncIterator[Engine]:
    async with AsyncExitStack() as stack:
        yield Engine(redis_url, stack)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


async def submitted(engine: Engine, url: str) -> Job:
    return await engine.manager.create("end_at_once", {}, telling_options(url, owner="anna"))


async def test_dead_receivers_hold_up_no_later_webhook_of_their_owner(
    engine: Engine, redis: Any, receiver: Receiver
) -> None:
    """What waits for its retry, up to 10 h, takes no place of its owner."""
    await engine.worker(end_at_once)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        port = closed.getsockname()[1]
        async with telling(engine.url, sender_to(receiver), secrets=[SECRET]):
            dead = [await submitted(engine, f"https://dead{at}.test:{port}/") for at in range(OWNERS_SHARE)]
            for job in dead:
                await next_wait(redis, job.id, "job.completed", 2)
            live = await submitted(engine, receiver.url())
            await wait_until(lambda: receiver.got, seconds=10)
    assert [got.document["data"]["id"] for got in receiver.got] == [live.id]


async def test_a_slow_receiver_holds_up_no_other_of_its_owner(engine: Engine, receiver: Receiver) -> None:
    """One that takes connections and says nothing gets a few at a time, under all of its ports and spellings."""
    await engine.worker(end_at_once)
    held: list[asyncio.StreamWriter] = []
    slow = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    port = slow.sockets[0].getsockname()[1]
    async with telling(engine.url, sender_to(receiver, seconds=60), secrets=[SECRET]):
        for at in range(2 * OWNERS_SHARE):
            job = await submitted(engine, f"https://{('slow.test', 'SLOW.test.')[at % 2]}:{port}/{at}")
            await engine.ended(job.id)
        await wait_until(lambda: len(held) >= RECEIVERS_SHARE)
        live = await submitted(engine, receiver.url())
        await wait_until(lambda: receiver.got, seconds=10)
        assert len(held) == RECEIVERS_SHARE
        slow.close()
        for writer in held:
            writer.close()
    assert [got.document["data"]["id"] for got in receiver.got] == [live.id]
