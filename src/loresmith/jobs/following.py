"""One job followed to its end: what changed, in order, and a fresh start where something was missed."""

import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from loresmith.jobs.errors import JobNotFoundError, StoreUnavailableError
from loresmith.jobs.events import Change, Watch
from loresmith.jobs.view import Glance, JobView, Shown

LOOK_SECONDS: Final = 5.0
"""How long a job may be silent before it is read, in case a message was lost."""
_PROGRESS_WINDOW_SECONDS: Final = 1.0
_PROGRESS_IN_WINDOW: Final = 2


class EventName(StrEnum):
    """What an event tells."""

    SNAPSHOT = "snapshot"
    """The whole job: the first of a stream, and wherever something was missed."""
    STATUS = "status"
    """The document, without items: the job entered another state or attempt."""
    PROGRESS = "progress"
    """The document, without items: anything else changed; at most two a second."""
    ITEM = "item"
    """One finished item: `{"index", "value"}`."""
    DONE = "done"
    """The whole job, which has ended: the last event."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `seq` is set on the last one that a change makes, so that whoever has it has all of the change."""

    name: EventName
    data: bytes
    seq: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the data is a whole job."""
        return self.name in (EventName.SNAPSHOT, EventName.DONE)


class JobFollower:
    """Turns the changes of one job into events; `next` gives them in turn, None once there will be no more.

    `after` is the `seq` that the client has already, if it has one.
    """

    __slots__ = ("_held", "_last", "_read", "_recent", "_silent_from", "_waiting", "watch")

    def __init__(self, watch: Watch, read: Callable[[], Awaitable[JobView]], first: JobView, after: int | None) -> None:
        self.watch = watch
        self._read = read
        self._waiting: deque[Event] = deque()
        self._held: Shown | None = None
        self._recent: deque[float] = deque(maxlen=_PROGRESS_IN_WINDOW)
        self._silent_from = time.monotonic()
        self._last: Glance = first.glance
        if after != first.glance.seq:
            self._begin(first, fresh=after is None)

    def _begin(self, first: JobView, *, fresh: bool) -> None:
        """Tell the whole job; to a client that comes back to an ended one just the end: one event, with its id."""
        done = first.glance.done
        if fresh or not done:
            self._tell_whole(EventName.SNAPSHOT, first, is_last=not done)
        if done:
            self._tell_whole(EventName.DONE, first)

    @property
    def has_nothing_to_tell(self) -> bool:
        """Whether the client has seen the end of the job."""
        return self._last.done and not self._waiting

    async def next(self, seconds: float) -> Event | None:
        """Return the next event, or None after some seconds without one, and once `is_over`."""
        ends = time.monotonic() + seconds
        while not self._waiting and not self.is_over:
            now = time.monotonic()
            if now >= ends:
                return None
            await self.watch.wait(max(0.0, min(ends, self._due) - now))
            await self._look()
        return self._waiting.popleft() if self._waiting else None

    @property
    def is_over(self) -> bool:
        """Whether no event will come any more."""
        return not self._waiting and (self._last.done or self.watch.closed)

    @property
    def _due(self) -> float:
        """When something is to be done although nothing comes."""
        silent_until = self._silent_from + LOOK_SECONDS
        return silent_until if self._held is None else min(silent_until, self._may_show)

    @property
    def _may_show(self) -> float:
        """From when on progress may be shown."""
        full = len(self._recent) == _PROGRESS_IN_WINDOW
        return self._recent[0] + _PROGRESS_WINDOW_SECONDS if full else 0.0

    async def _look(self) -> None:
        watch = self.watch
        while watch.changes and not watch.missed:
            await self._take(watch.changes.popleft())
        now = time.monotonic()
        if watch.missed or now - self._silent_from >= LOOK_SECONDS:
            watch.missed = False
            await self._read_anew()
        if self._held is not None and now >= self._may_show:
            self._show(EventName.PROGRESS, self._held)

    async def _take(self, change: Change) -> None:
        shown = Shown(bytes(change.job), cancelling=change.cancelling)
        seen, before = shown.glance, self._last
        if not self._is_news(seen):
            return
        self._silent_from = time.monotonic()
        if seen.done or seen.seq != before.seq + 1:
            await self._read_anew()
            return
        for index, value in change.items.items():
            data = b'{"index":%b,"value":%b}' % (index.encode(), bytes(value))
            self._waiting.append(Event(EventName.ITEM, data))
        self._last, self._held = seen, shown
        if (seen.state, seen.attempt, seen.rescues) != (before.state, before.attempt, before.rescues):
            self._show(EventName.STATUS, shown)

    def _is_news(self, seen: Glance) -> bool:
        return seen.seq > self._last.seq or (seen.done and not self._last.done)

    def _show(self, name: EventName, shown: Shown) -> None:
        self._held = None
        if name is EventName.PROGRESS:
            self._recent.append(time.monotonic())
        self._waiting.append(Event(name, shown.document, shown.glance.seq))

    async def _read_anew(self) -> None:
        """Read the job, and start anew where that shows something new; while Redis is away the next look will."""
        self._silent_from = time.monotonic()
        try:
            view = await self._read()
        except StoreUnavailableError:
            return
        except JobNotFoundError:
            self.watch.close()
            return
        if self._is_news(view.glance):
            self._held, self._last = None, view.glance
            self._tell_whole(EventName.DONE if view.glance.done else EventName.SNAPSHOT, view)

    def _tell_whole(self, name: EventName, view: JobView, *, is_last: bool = True) -> None:
        self._waiting.append(Event(name, view.body, view.glance.seq if is_last else None))
