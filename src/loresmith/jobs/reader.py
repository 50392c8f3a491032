"""Reads of jobs as clients see them: one, many by id, and pages of a listing."""

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from loresmith.jobs import keys
from loresmith.jobs.census import Census
from loresmith.jobs.errors import InvalidCursorError, JobNotFoundError
from loresmith.jobs.store import Store
from loresmith.jobs.types import State, Status, ms_of, timestamp
from loresmith.jobs.view import JobView

_LOOKED_AT: Final = 1_000
"""Index entries that are looked at for one page, so that a filter that fits few jobs costs no more than that."""
_STRETCH: Final = 100

Entry = tuple[int, str]
"""Time of creation in ms, and id."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What to list, newest first: up to `limit` jobs that fit every filter that is set, after `cursor`."""

    status: Status | None = None
    state: State | None = None
    type: str | None = None
    tag: str | None = None
    created_after_ms: int | None = None
    cursor: str = ""
    limit: int = 20

    @property
    def is_filtered(self) -> bool:
        """Whether some jobs may not fit."""
        return any(one is not None for one in (self.status, self.state, self.type, self.tag))

    def fits(self, view: JobView) -> bool:
        """Tell whether a job is one of those asked for."""
        seen = view.glance
        return (
            self.status in (None, seen.status)
            and self.state in (None, seen.state)
            and self.type in (None, seen.type)
            and (self.tag is None or self.tag in seen.tags)
            and (self.created_after_ms is None or ms_of(seen.created_at) > self.created_after_ms)
        )


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs of a listing, and the cursor of the next page; None when there is none. A page may be short, even empty.

    `looked_at` counts the jobs that were read for it.
    """

    jobs: Sequence[JobView]
    next_cursor: str | None
    looked_at: int = 0


class Reader:
    """Reads jobs for their owner; an owner None may see everybody's."""

    def __init__(self, store: Store, census: Census) -> None:
        self._store = store
        self._census = census

    async def view(self, job_id: str, owner: str | None, *, payload: bool = False) -> JobView:
        """Return a job. Raises JobNotFoundError, also for somebody else's, and for one of the engine's own."""
        view = await self._store.view(job_id, payload=payload)
        if view.glance.internal or (owner is not None and view.glance.owner != keys.owner_digest(owner)):
            raise JobNotFoundError(job_id)
        return view

    async def place(self, views: Sequence[JobView]) -> None:
        """Note the places of those that are pending, unless they are known, and when they are about to start."""
        pending = [view for view in views if view.glance.status is Status.PENDING]
        unknown = [view for view in pending if view.position is None]
        if unknown:
            found = await asyncio.gather(*(self._census.place(view.due_ms) for view in unknown))
            for view, position in zip(unknown, found, strict=True):
                view.position = position
        each = await self._census.seconds_each() if pending else None
        for view in pending:
            if each is not None and view.position is not None:
                view.expected_start = timestamp(view.position * each)

    async def view_many(self, job_ids: Sequence[str], owner: str | None) -> list[JobView | None]:
        """Return jobs in the order asked for, None for one that is not found."""
        found = await asyncio.gather(*(self.view(one, owner) for one in job_ids), return_exceptions=True)
        for one in found:
            if isinstance(one, BaseException) and not isinstance(one, JobNotFoundError):
                raise one
        return [one if isinstance(one, JobView) else None for one in found]

    async def list(self, listing: Listing, owner: str | None) -> JobPage:
        """Return a page of the owner's jobs. Raises InvalidCursorError."""
        index = keys.everybodys() if owner is None else keys.owned(owner)
        after = _parse_cursor(listing.cursor) if listing.cursor else None
        stretch = _STRETCH if listing.is_filtered else listing.limit
        found: list[JobView] = []
        looked_at = 0
        for _ in range(_LOOKED_AT // stretch):
            entries = await self._store.page(index, after, stretch)
            wanted = _newer(entries, listing.created_after_ms)
            looked_at += len(wanted)
            for entry, view in zip(wanted, await self._alive(index, wanted, owner), strict=True):
                after = entry
                if view is not None and listing.fits(view):
                    found.append(view)
                if len(found) == listing.limit:
                    more = entry != entries[-1] or len(entries) == stretch
                    return JobPage(found, _cursor(after) if more else None, looked_at)
            if len(wanted) < stretch:
                return JobPage(found, None, looked_at)
        return JobPage(found, _cursor(after) if after else None, looked_at)

    async def _alive(self, index: str, entries: Sequence[Entry], owner: str | None) -> Sequence[JobView | None]:
        """Return the jobs of index entries; those that are gone leave the index."""
        views = await self.view_many([job_id for _, job_id in entries], owner)
        gone = [job_id for (_, job_id), view in zip(entries, views, strict=True) if view is None]
        if gone:
            await self._store.drop_from(index, gone)
        return views


def known_id(text: str) -> str:
    """Return the id of a job as keys have it. Raises JobNotFoundError for what is no id."""
    job_id = keys.parse_job_id(text)
    if job_id is None:
        raise JobNotFoundError(text)
    return job_id


def _newer(entries: Sequence[Entry], than_ms: int | None) -> Sequence[Entry]:
    return entries if than_ms is None else [entry for entry in entries if entry[0] > than_ms]


def _cursor(entry: Entry) -> str:
    return base64.urlsafe_b64encode(f"{entry[0]}:{entry[1]}".encode()).decode().rstrip("=")


def _parse_cursor(text: str) -> Entry:
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        time_ms, _, job_id = raw.decode("ascii").partition(":")
        if time_ms.isdecimal() and len(time_ms) < 16 and keys.parse_job_id(job_id) is not None:
            return int(time_ms), job_id
    except (binascii.Error, ValueError):
        pass
    raise InvalidCursorError(text)
