"""What must be told to a store that may be away: kept, and sent until it has it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Self

import structlog

from loresmith.llm_service.ledger import AwayError

_PAUSE_SECONDS: Final = 0.5
_LAST_WORDS_SECONDS: Final = 2.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

Message = Callable[[], Awaitable[None]]
"""Sends one thing; it may be sent twice."""


class Outbox:
    """Sends what is put into it, in order, while it is open; `put` never waits.

    With `every`, that is sent too, each `every_seconds`. What cannot be sent for another reason than that the store is
    away is logged and dropped: nothing else may wait for it.
    """

    def __init__(self, *, every: Message | None = None, every_seconds: float = 5.0) -> None:
        self._messages: deque[Message] = deque()
        self._new = asyncio.Event()
        self._every = every
        self._every_seconds = every_seconds
        self._every_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def put(self, message: Message) -> None:
        """Has `message` sent soon."""
        self._messages.append(message)
        self._new.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work(), name="outbox")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Sends what is left, unless the store is away."""
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        with suppress(AwayError, TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self._send_all()

    async def _work(self) -> None:
        while True:
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._every_seconds):
                        await self._new.wait()
                self._new.clear()
                await self._send_all()
                await self._send_every()
            except AwayError as error:
                _log.warning("redis is away", error=str(error), unsent=len(self._messages))
                self._new.set()
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _send_all(self) -> None:
        while self._messages:
            await _sent(self._messages[0])
            self._messages.popleft()

    async def _send_every(self) -> None:
        if self._every is not None and time.monotonic() >= self._every_at:
            await _sent(self._every)
            self._every_at = time.monotonic() + self._every_seconds * 0.9


async def _sent(message: Message) -> None:
    try:
        await message()
    except AwayError:
        raise
    except Exception:
        _log.exception("message dropped")
