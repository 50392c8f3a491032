"""Child processes of this machine's own, started side by side; imports nothing that is slow."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Coroutine
from pathlib import Path
from typing import Any, Protocol

from loresmith.embedded.data_dir import DataDir
from loresmith.embedded.model import EmbeddedModel
from loresmith.settings import Settings

_GGUF = "gguf:"


class Child(Protocol):
    """A child process that is kept alive between `start` and `stop`."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


@contextlib.asynccontextmanager
async def locked(path: Path) -> AsyncGenerator[DataDir]:
    """The data directory, ours alone."""
    data_dir = DataDir(path)
    await data_dir.open()
    try:
        yield data_dir
    finally:
        data_dir.close()


@contextlib.asynccontextmanager
async def running(*children: Child) -> AsyncGenerator[None]:
    """The children, started and stopped side by side."""
    try:
        await together(*(child.start() for child in children))
        yield
    finally:
        await together(*(child.stop() for child in children))


async def together(*work: Coroutine[Any, Any, Any]) -> None:
    """Do all of it at once. If one fails, cancel the others, wait for them, and raise its error.

    Each is cancelled once only: a child that is being stopped is killed when that is cut short.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for part in work:
                group.create_task(part)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


def embedded_model(settings: Settings) -> EmbeddedModel | None:
    """The model of this machine's own, None when the settings name one elsewhere."""
    log_file = settings.data_dir / "model.log"
    if settings.model is None:
        return EmbeddedModel(log_file)
    if settings.model.startswith(_GGUF):
        path = Path(os.path.expanduser(settings.model.removeprefix(_GGUF)))  # noqa: PTH111 (leaves an unknown ~user)
        return EmbeddedModel(log_file, model_file=path)
    return None
