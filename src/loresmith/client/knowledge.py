"""What is known of a job, put together from events and polls: never older than it was, each item told once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from loresmith.client.models import Job

_OWN = ("items", "links", "queue", "payload")
"""What an event of a change leaves out: it stays as it was."""


@dataclass(frozen=True, slots=True)
class Update:
    """News of a job: how it stands now, and the items that are new since the update before."""

    job: Job
    new_items: tuple[Any, ...] = ()


@dataclass(slots=True)
class _Item:
    value: Any
    index: int | None = None
    """None where it came with a whole job, which lists what is finished without saying what is missing before it."""


class Knowledge:
    """Merges by `seq`. What comes twice or late changes nothing; the end is final."""

    def __init__(self) -> None:
        self.job: Job | None = None
        self._document: dict[str, Any] = {}
        self._items: list[_Item] = []

    @property
    def seq(self) -> int | None:
        """The version of the job that is known, if any."""
        return self.job.seq if self.job else None

    @property
    def is_final(self) -> bool:
        """Whether the job has ended: nothing will be new any more."""
        return self.job is not None and self.job.done

    def take_whole(self, document: dict[str, Any]) -> list[Update]:
        """Take a whole job in: of a poll, or the event `snapshot` or `done`. Raises UnexpectedAnswerError."""
        job = Job.of(document)
        if not self._is_news(job.seq, done=job.done):
            return []
        new = self._take_list(_finished(job, self._values()))
        if not job.done and len(self._items) > len(job.items):
            document = {**document, "items": self._values()}
            job = Job.of(document)
        self._document, self.job = document, job
        return [Update(job, tuple(new))]

    def take_change(self, document: dict[str, Any]) -> list[Update]:
        """Take a change in: all of the job but its items. Raises UnexpectedAnswerError."""
        kept = {name: self._document[name] for name in _OWN if name in self._document}
        changed = {**kept, **document, "items": self._values()}
        job = Job.of(changed)
        if not self._is_news(job.seq, done=job.done):
            return []
        self._document, self.job = changed, job
        return [Update(job)]

    def take_item(self, index: int, value: Any) -> list[Update]:
        """Take a finished item in. Without a job that it belongs to, the next whole job brings it again."""
        if self.job is None or self.job.done or any(item.index == index for item in self._items):
            return []
        for item in self._items:
            if item.index is None and _key(item.value) == _key(value):
                item.index = index
                return []
        self._items.insert(self._place_of(index), _Item(value, index))
        self._document = {**self._document, "items": self._values()}
        self.job = Job.of(self._document)
        return [Update(self.job, (value,))]

    def _is_news(self, seq: int, *, done: bool) -> bool:
        if self.job is None:
            return True
        return not self.job.done and (seq > self.job.seq or done)

    def _take_list(self, values: list[Any]) -> list[Any]:
        """Take a list of finished items in; returns those of them that were not told before.

        An item that was told and is not in it stays: its event has overtaken the change that it belongs to.
        """
        missing = Counter(_key(item.value) for item in self._items)
        known = {_key(item.value): item.index for item in self._items if item.index is not None}
        new: list[Any] = []
        for value in values:
            key = _key(value)
            if missing[key] > 0:
                missing[key] -= 1
            else:
                new.append(value)
        before, self._items = self._items, [_Item(value, known.pop(_key(value), None)) for value in values]
        for item in before:
            if item.index is not None and missing[_key(item.value)] > 0:
                missing[_key(item.value)] -= 1
                self._items.insert(self._place_of(item.index), item)
        return new

    def _place_of(self, index: int) -> int:
        """Where an item belongs among those that are there, as far as they say where they are."""
        known = [(place, item.index) for place, item in enumerate(self._items) if item.index is not None]
        least = max((place + 1 for place, other in known if other < index), default=0)
        most = min((place for place, other in known if other > index), default=len(self._items))
        return min(most, max(least, index))

    def _values(self) -> list[Any]:
        return [item.value for item in self._items]


def _finished(job: Job, before: list[Any]) -> list[Any]:
    """Return the items of a job. A completed one has them in its result, if that is a list of them."""
    if job.items or job.status != "completed":
        return job.items
    result: Any = job.result
    if not isinstance(result, list):
        return before
    result = cast("list[Any]", result)
    left_out = Counter(map(_key, before)) - Counter(map(_key, result))
    return before if left_out else result


def _key(value: Any) -> bytes:
    return msgspec.json.encode(value, order="deterministic")
