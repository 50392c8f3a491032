"""The process of `loresmith dev` that runs people's code: API and worker, with the job types as their files are now."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from socket import socket
from typing import TYPE_CHECKING

import uvloop

from loresmith.cli.configure import configure_logs
from loresmith.cli.job_types import load_registry, names_of
from loresmith.cli.stack import Stack, StartError
from loresmith.cli.whole import Whole
from loresmith.settings import Settings

if TYPE_CHECKING:
    from loresmith.jobs import JobRegistry


@dataclass(frozen=True)
class Refused:
    """The job types cannot be imported, or the process cannot start; the reason is one line."""

    reason: str


@dataclass(frozen=True)
class Loaded:
    """The job types are imported; the process waits for one word to start."""

    names: str


@dataclass(frozen=True)
class Started:
    """API and worker run."""

    database: str
    model: str


Report = Refused | Loaded | Started


def run_code(settings: Settings, bound: socket, pipe: Connection, least_log_level: str) -> None:
    """Import the job types, say so, and run when the other process sends `start`, until it sends `stop` or is gone."""
    os.setsid()  # Ctrl-C is for the other process, which ends this one
    configure_logs(settings, least_log_level)
    try:
        registry = load_registry(settings)
        pipe.send(Loaded(names_of(registry)))
        if pipe.recv() != "start":
            return
        uvloop.run(_run(settings, bound, registry, pipe))
    except StartError as error:
        pipe.send(Refused(str(error)))
        sys.exit(1)
    except (EOFError, OSError):  # the other process is gone
        return


async def _run(settings: Settings, bound: socket, registry: JobRegistry, pipe: Connection) -> None:
    loop = asyncio.get_running_loop()

    def obey() -> None:
        try:
            pipe.recv()
        except (EOFError, OSError):  # the other process is gone
            loop.remove_reader(pipe.fileno())
        stack.stop()

    async def start(stack: Stack) -> None:
        loop.add_reader(pipe.fileno(), obey)
        whole = Whole(settings, bound, registry)
        await whole.start(stack)
        pipe.send(Started(whole.database, whole.model))

    stack = Stack()
    await stack.run(start)
