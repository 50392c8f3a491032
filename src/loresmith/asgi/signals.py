"""The wish of a server to stop, before it waits for its connections.

An event stream lasts as long as its job. A server such as uvicorn waits for open answers first and ends the lifespan of
its application afterwards, so that the lifespan comes too late to end them.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType
from typing import Final

_STOPS: Final = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def before_stop(release: Callable[[], None]) -> Generator[None]:
    """Call `release` in the event loop at SIGINT and SIGTERM, and then what handled them before.

    Outside of the main thread, which alone can handle signals, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _STOPS}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(release)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    handled = [number for number in _STOPS if callable(before[number])]
    for number in handled:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in handled:
            if signal.getsignal(number) is handle:
                signal.signal(number, before[number])
