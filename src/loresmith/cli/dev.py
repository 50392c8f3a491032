"""`loresmith dev`: `run` that starts API and worker again when a file changes."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Literal

import uvloop
from pydantic import SecretStr

from loresmith.cli.configure import configure
from loresmith.cli.dev_code import Loaded, Refused, Report, Started, run_code
from loresmith.cli.job_types import Jobs, Only, job_options
from loresmith.cli.listen import bind, check_exposure
from loresmith.cli.run import STOPPING, DataDirOption, HostOption, PortOption, places_of
from loresmith.cli.stack import STOP_SECONDS, Stack, StartError
from loresmith.cli.terminal import announce, complain
from loresmith.cli.whole import Whole
from loresmith.setting_types import words
from loresmith.settings import Settings

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext

    from watchfiles import Change

_LEAST_LOG_LEVEL = "warning"
_END_SECONDS = STOP_SECONDS + 1
_PRELOADED = [
    "loresmith.cli.dev_code",
    "loresmith.cli.lore",
    "loresmith.cli.parts",
    "loresmith.db.schema",
    "loresmith.job_types.create_world",
]
"""What a process that runs people's code needs and no change of theirs touches: it is forked with all of it loaded."""


def dev(
    jobs: Jobs = None,
    only: Only = False,
    host: HostOption = None,
    port: PortOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Run everything on this machine; start API and worker again when a Python file beside the job types changes."""
    chosen = job_options(jobs, only=only)
    settings = configure(least_log_level=_LEAST_LOG_LEVEL, host=host, port=port, data_dir=data_dir, **chosen)
    if not settings.jobs:
        raise StartError("there is nothing to watch: name a file, as in `loresmith dev jobs.py`, or set LORESMITH_JOBS")
    uvloop.run(_dev(settings))


async def _dev(settings: Settings) -> None:
    check_exposure(settings)
    with bind(settings.host, settings.port) as bound:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOADED)

        async def start(stack: Stack) -> None:
            whole = Whole(settings, bound)
            preloaded = asyncio.ensure_future(asyncio.to_thread(_start_fork_server))
            folders = await asyncio.to_thread(_folders_of, settings)
            await whole.start_servers(stack)
            await preloaded
            code = Code(context, whole)
            stack.on_stop(lambda: announce(*STOPPING))
            stack.on_stop(code.stop)
            stack.watch(await stack.enter(code.followed(folders)), "watching of files")

        await Stack().run(start)


def _start_fork_server() -> None:
    from multiprocessing.forkserver import ensure_running

    ensure_running()


class Code:
    """The process that runs people's code: one at a time, replaced when a file of theirs changes."""

    def __init__(self, context: ForkServerContext, whole: Whole) -> None:
        self._context = context
        self._whole = whole
        self._settings = _settings_of_code(whole)
        self._current: _Process | None = None
        self._announced = False

    def stop(self) -> None:
        """Ask the process to end; asked twice, it ends at once."""
        if self._current is not None:
            self._current.send("stop")

    @contextlib.asynccontextmanager
    async def followed(self, folders: Iterable[Path]) -> AsyncGenerator[asyncio.Task[None]]:
        """Start the process, and another one after each change in these directories, while one is inside."""
        task = asyncio.create_task(self._follow(folders), name="watching of files")
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})
            await self._end_current()

    async def _follow(self, folders: Iterable[Path]) -> None:
        import watchfiles

        changes = watchfiles.awatch(  # pyright: ignore[reportUnknownMemberType] - an event of a library that is not here
            *folders, watch_filter=watchfiles.PythonFilter()
        )
        first = asyncio.ensure_future(anext(changes))
        try:
            await asyncio.sleep(0)  # it watches now: what changes while the code is imported is seen
            await self._replace("")
            await self._replace(_changed(await first))
        finally:
            first.cancel()
        async for each in changes:
            await self._replace(_changed(each))

    async def _replace(self, prefix: str) -> None:
        """Import the code as it is now; if that works, let it take the place of the code before."""
        began = time.monotonic()
        async with _fresh(self._context, self._settings, self._whole.bound) as process:
            loaded = await process.report()
            if not isinstance(loaded, Loaded):
                left = "the code before it goes on" if self._current else "waiting for a change"
                complain(f"{prefix}{_reason(loaded)} ({left})")
                return
            await self._end_current()
            process.send("start")
            started = await process.report()
            if not isinstance(started, Started):
                complain(f"{prefix}{_reason(started)} (waiting for a change)")
                return
            self._announce(started)
            announce(f"{prefix}{loaded.names} ({time.monotonic() - began:.1f} s)" if prefix else loaded.names)
            self._current = process.keep(self._note_end)

    async def _end_current(self) -> None:
        process, self._current = self._current, None
        if process is not None:
            await process.end()

    def _note_end(self, process: _Process) -> None:
        if process is self._current:
            complain("API and worker have ended by themselves (waiting for a change)")

    def _announce(self, started: Started) -> None:
        if not self._announced:
            self._announced, whole = True, self._whole
            announce(*places_of(whole.url, whole.redis, started.database, started.model), "")
            announce("Python files are watched; Ctrl-C stops everything.")


class _Process:
    """One process with people's code."""

    def __init__(self, context: ForkServerContext, settings: Settings, bound: socket) -> None:
        self._pipe, theirs = context.Pipe()
        words = (settings, bound, theirs, _LEAST_LOG_LEVEL)
        self._process = context.Process(target=run_code, args=words, name="loresmith-dev")
        self._process.start()
        theirs.close()
        self._is_kept = self._is_stopped = False

    def follow(self) -> None:
        """Wait for its end in the background."""
        self._ended = asyncio.create_task(_readable(self._process.sentinel))

    async def report(self) -> Report | None:
        """Return what it says next; None when it has ended."""
        await _readable(self._pipe.fileno())
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            return None

    def send(self, word: Literal["start", "stop"]) -> None:
        """Let it start what it has loaded, or end."""
        self._is_stopped = self._is_stopped or word == "stop"
        with contextlib.suppress(OSError):
            self._pipe.send(word)

    def keep(self, on_end: Callable[[_Process], None]) -> _Process:
        """Let it run on; `on_end` is called when it has ended."""
        self._is_kept = True
        self._ended.add_done_callback(lambda _: on_end(self))
        return self

    @property
    def is_kept(self) -> bool:
        """Whether it runs on when nobody waits for it."""
        return self._is_kept

    async def end(self) -> None:
        """End it, and wait for its end; what does not end is killed."""
        if not self._is_stopped:
            self.send("stop")
        await asyncio.wait({self._ended}, timeout=_END_SECONDS)
        if not self._ended.done():
            self._process.kill()
            await self._ended
        self._process.join()
        self._pipe.close()


@contextlib.asynccontextmanager
async def _fresh(context: ForkServerContext, settings: Settings, bound: socket) -> AsyncGenerator[_Process]:
    """A new process, ended when it is left unless it is kept."""
    process = await asyncio.to_thread(_Process, context, settings, bound)
    process.follow()
    try:
        yield process
    finally:
        if not process.is_kept:
            await process.end()


def _settings_of_code(whole: Whole) -> Settings:
    """Return the settings of a process that shares Redis and lore service of this one."""
    there = whole.lore
    token = None if there.token is None else SecretStr(there.token)
    shared: dict[str, object] = {"redis_url": whole.redis_url, "lore_url": there.address, "lore_token": token}
    if there.tls is None:
        shared |= dict.fromkeys(("lore_tls_cert", "lore_tls_key", "lore_tls_ca"))
    return whole.settings.model_copy(update=shared)


def _folders_of(settings: Settings) -> set[Path]:
    """Return the directories of files and modules with job types. Raises StartError."""
    from loresmith.jobs import JobModule, JobModuleError

    try:
        return {JobModule.find(name).root for name in words(settings.jobs or "")}
    except JobModuleError as error:
        raise StartError(str(error)) from None


def _changed(changes: set[tuple[Change, str]]) -> str:
    """Say which file changed, as it is called here, and how many others."""
    here = Path.cwd()
    paths = [Path(path) for _, path in changes]
    names = sorted(str(path.relative_to(here) if path.is_relative_to(here) else path) for path in paths)
    others = "" if len(names) == 1 else f" and {len(names) - 1} more"
    return f"{names[0]}{others} changed: "


def _reason(report: Report | None) -> str:
    return report.reason if isinstance(report, Refused) else "the process with API and worker has ended by itself"


async def _readable(descriptor: int) -> None:
    """Return when a descriptor can be read, or its other side is closed."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
