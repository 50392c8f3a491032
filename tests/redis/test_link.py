"""Batches on one connection: each gets its own replies, in order, and none those of a batch that was left."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError

from loresmith.jobs.away import until_back
from loresmith.jobs.link import Link
from loresmith.jobs.pipeline import Pipeline
from tests.redis.conftest import Engine
from tests.waiting import wait_until


async def test_batches_that_are_under_way_together_share_a_connection_and_keep_their_order(
    engine: Engine, redis: Any
) -> None:
    link = Link(engine.connection())
    await redis.config_resetstat()
    sent = [link.send([("RPUSH", "list", n), ("ECHO", n)]) for n in range(200)]
    replies = await asyncio.gather(*sent)
    assert replies == [[n + 1, str(n).encode()] for n in range(200)]
    assert (await redis.info("stats"))["total_connections_received"] == 1
    await redis.delete("list")


async def test_an_error_of_one_command_is_its_reply(engine: Engine) -> None:
    link = Link(engine.connection())
    before, wrong, after = await link.send([("ECHO", "a"), ("NO-SUCH-COMMAND",), ("ECHO", "b")])
    assert (before, after) == (b"a", b"b")
    assert "unknown command" in str(wrong)


async def test_a_batch_that_is_left_takes_those_behind_it_along_and_none_after_them(engine: Engine, redis: Any) -> None:
    link = Link(engine.connection())
    left = asyncio.create_task(link.send([("BLPOP", "empty", 0)]))
    await wait_until(lambda: _blocked(redis))
    behind = asyncio.create_task(link.send([("ECHO", "behind")]))
    await asyncio.sleep(0)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    with pytest.raises(RedisConnectionError):
        await behind
    assert await link.send([("ECHO", "after")]) == [b"after"]


async def test_a_connection_that_is_closed_in_the_turn_in_which_a_batch_is_sent_is_away(engine: Engine) -> None:
    link = Link(engine.connection())
    first = asyncio.create_task(link.send([("BLPOP", "empty", 0)]))
    await wait_until(lambda: link._stream is not None)
    stream = link._stream
    assert stream is not None
    behind = asyncio.create_task(link.send([("PING",)]))
    await asyncio.sleep(0)  # it has begun to send
    await stream.connection.disconnect(nowait=True)
    failed = await asyncio.gather(first, behind, return_exceptions=True)
    assert all(isinstance(error, RedisConnectionError) for error in failed), failed
    assert await link.send([("ECHO", "after")]) == [b"after"]


async def test_a_connection_that_the_server_closes_fails_what_is_under_way_alone(engine: Engine, redis: Any) -> None:
    link = Link(engine.connection())
    sent = [asyncio.create_task(link.send([("BLPOP", "empty", 0)])), asyncio.create_task(link.send([("PING",)]))]
    await wait_until(lambda: _blocked(redis))
    await redis.client_kill_filter(_type="normal", skipme=True)
    failed = await asyncio.gather(*sent, return_exceptions=True)
    assert all(isinstance(error, RedisConnectionError) for error in failed)
    assert await link.send([("ECHO", "after")]) == [b"after"]


async def _blocked(redis: Any) -> bool:
    return (await redis.info("clients"))["blocked_clients"] == 1


async def test_a_connection_to_a_server_that_takes_no_writes_is_not_used_again(engine: Engine, redis: Any) -> None:
    """The name in the URL may stand for another primary by now."""
    link = Link(engine.connection())
    await redis.replicaof("127.0.0.1", 1)
    try:
        (refused,) = await link.send([("SET", "a", 1)])
        assert isinstance(refused, ReadOnlyError)
        await redis.config_resetstat()
        await link.send([("SET", "a", 1)])
        assert (await redis.info("stats"))["total_connections_received"] == 1
    finally:
        await redis.replicaof("NO", "ONE")


async def test_what_waits_behind_a_batch_without_an_answer_fails_with_it(
    engine: Engine, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were each batch to wait as long for itself, the last of many calls would hang for minutes."""
    sent: list[int] = []
    send = Link.send

    async def counted(self: Link, commands: Sequence[Sequence[Any]]) -> list[Any]:
        sent.append(len(commands))
        return await send(self, commands)

    monkeypatch.setattr(Link, "send", counted)
    monkeypatch.setattr("loresmith.jobs.link._TIMEOUT_SECONDS", 0.1)
    pipeline = Pipeline(engine.connection())
    await pipeline.command("PING")
    sent.clear()
    await redis.client_pause(1_000)
    replies = await asyncio.gather(*(pipeline.command("INCR", "a") for _ in range(1_000)), return_exceptions=True)
    assert all(isinstance(reply, TimeoutError | RedisConnectionError) for reply in replies)
    assert sum(sent) < 200
    assert await until_back(lambda: pipeline.command("PING")) == b"PONG"
    await redis.delete("a")
    await pipeline.close()
