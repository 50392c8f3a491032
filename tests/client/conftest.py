"""Both clients against the real API, in process and behind sockets, and against scripted servers without waiting."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest

from loresmith.client import AsyncJobsClient, JobHandle, JobsClient
from tests.api.conftest import (
    address,
    api,
    app,
    cue,
    database,
    manager,
    registry,
    remote,
    worker,
    worlds,
)

__all__ = [
    "address",
    "api",
    "app",
    "cue",
    "database",
    "manager",
    "registry",
    "remote",
    "worker",
    "worlds",
]
"""Fixtures of the API, for the tests here."""

Answering = Callable[[httpx2.Request], httpx2.Response]
Flavours = ["plain", "asyncio"]


class Either:
    """A client or a handle of either flavour as one to await: plain ones run in a thread, iterators are collected."""

    def __init__(self, client: Any) -> None:
        self.client: Any = client

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self.client, name)

        async def call(*args: Any, **options: Any) -> Any:
            if isinstance(self.client, JobsClient | JobHandle):
                return await asyncio.to_thread(lambda: _collected(method(*args, **options)))
            result = method(*args, **options)
            return [one async for one in result] if inspect.isasyncgen(result) else await result

        return call

    async def aclose(self) -> None:
        if isinstance(self.client, JobsClient):
            self.client.close()
        elif isinstance(self.client, AsyncJobsClient):
            await self.client.close()


def _collected(result: Any) -> Any:
    return list(result) if inspect.isgenerator(result) else result


@pytest.fixture(params=Flavours)
async def client(request: pytest.FixtureRequest, address: tuple[str, int]) -> AsyncIterator[Either]:
    """Each client in turn, of the real server."""
    url = f"http://{address[0]}:{address[1]}"
    either = Either(JobsClient(url) if request.param == "plain" else AsyncJobsClient(url))
    yield either
    await either.aclose()


class Clock:
    """A time that goes on only while somebody sleeps; `slept` says for how long each time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class PlainClient(JobsClient):
    """A client that lives in the time of a clock."""

    clock: Clock

    def _sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def _now(self) -> float:
        return self.clock.now


class AsyncioClient(AsyncJobsClient):
    """Likewise."""

    clock: Clock

    async def _sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def _now(self) -> float:
        return self.clock.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=Flavours)
def scripted(request: pytest.FixtureRequest, clock: Clock) -> Callable[..., Either]:
    """Makes a client of either flavour whose server is a function, and whose time is the clock's."""

    def make(answering: Answering, **options: Any) -> Either:
        transport = httpx2.MockTransport(answering)
        kind: Any = PlainClient if request.param == "plain" else AsyncioClient
        client = kind("http://localhost", transport=transport, **options)
        client.clock = clock
        return Either(client)

    return make
