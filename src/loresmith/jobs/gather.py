"""Calls that are made in the same turn of the event loop, handled as one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from loresmith.jobs.pipeline import resolve

Item = TypeVar("Item")
Reply = TypeVar("Reply")


class Gather(Generic[Item, Reply]):
    """Collects the items that are added in one turn of the loop and handles them in one call."""

    def __init__(self, handle: Callable[[list[Item]], Awaitable[Sequence[Reply]]]) -> None:
        self._handle = handle
        self._items: list[Item] = []
        self._futures: list[asyncio.Future[Reply]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, item: Item) -> asyncio.Future[Reply]:
        """Add an item to the next call; the future has its own part of the reply."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._items.append(item)
        self._futures.append(future)
        if len(self._items) == 1:
            task = asyncio.create_task(self._flush())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    async def _flush(self) -> None:
        items, futures = self._items, self._futures
        self._items, self._futures = [], []
        replies: Sequence[Any]
        try:
            replies = await self._handle(items)
        except asyncio.CancelledError:
            for future in futures:
                future.cancel()
            raise
        except Exception as error:
            replies = [error] * len(futures)
        for future, reply in zip(futures, replies, strict=True):
            resolve(future, reply)
