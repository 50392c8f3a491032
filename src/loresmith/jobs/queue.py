"""One queue: releases jobs to workers, gives each to one of them, takes back what a dead one held."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from loresmith.jobs import keys, lua
from loresmith.jobs.claim import Claim, Dropped, Reason, parse_entry, renewals
from loresmith.jobs.connection import Client
from loresmith.jobs.gather import Gather
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.types import LIFETIME_SECONDS, Priority

INTENT_MS: Final = 5_000
_UNBOUNDED: Final = 2**53
ENDED_LENGTH: Final = 1_000_000  # that are kept for followers; older ones go although a group has not acknowledged them
# Of 21 claims, 16 look at high first, 4 at normal, 1 at low: a lower priority is slower, never starved.
_FIRST_LOOKS: Final = (0,) * 5 + (1,) + (0,) * 5 + (1,) + (0,) * 3 + (2,) + (0,) * 2 + (1,) + (0,) + (1,)


@dataclass(frozen=True, slots=True)
class Release:
    """A job to release to the workers, at once or after a delay.

    With a `running_limit`, no more than so many jobs of `owner` are with the workers at once, with a `type_limit` no
    more than so many of `type`, and of each of its `groups` no more than that one's limit; the others wait.
    """

    job_id: str
    priority: Priority = Priority.NORMAL
    delay_ms: int = 0
    owner: str = ""
    running_limit: int = 0
    type: str = ""
    type_limit: int = 0
    groups: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def letter(self) -> str:
        """The letter of the stream of its priority."""
        return keys.LETTER_OF[self.priority]

    @property
    def reference(self) -> str:
        """How the queue's keys name the job: its id, with each bound it is under and the limit of that."""
        of_owner = f":{self.owner_digest}:{self.running_limit}" if self.running_limit else ""
        of_type = f":type-{self.type}:{self.type_limit}" if self.type_limit else ""
        of_groups = "".join(f":group-{keys.owner_digest(name)}:{limit}" for name, limit in self.groups.items())
        return f"{self.job_id}{of_owner}{of_type}{of_groups}"

    @property
    def owner_digest(self) -> str:
        """The owner in keys, '' for one without a limit."""
        return keys.owner_digest(self.owner) if self.running_limit else ""

    @property
    def member(self) -> str:
        """Its member among the scheduled."""
        return f"{self.letter}:{self.reference}"


class SweptLateError(Exception):
    """Redis stood still between the sending of a sweep and its execution; it took nothing."""


class Intended(IntEnum):
    """What became of an intent."""

    OWNER_FULL = -1
    QUEUE_FULL = 0
    TAKEN = 1


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a look at the queue brought: claims, and the stream positions to wait behind when it ran empty."""

    claims: list[Claim]
    last_ids: tuple[bytes, ...]


class Queue:
    """The queue `name` on Redis Streams with one consumer group."""

    def __init__(
        self,
        pipeline: Pipeline,
        name: str = "default",
        *,
        limit: int = 100_000,
        owner_limit: int = 1_000,
        ended_length: int = ENDED_LENGTH,
    ) -> None:
        self._pipeline = pipeline
        self.keys = keys.QueueKeys(name)
        self.limit = limit
        self.owner_limit = owner_limit
        self._ended_length = ended_length
        self._looks = 0
        self._settling: Gather[tuple[str, str, str], None] = Gather(self._settle)

    def intend(self, releases: Sequence[Release], *, bounded: bool = True) -> asyncio.Future[list[int]]:
        """Record that these jobs are about to be created; the future has [value of `Intended`, jobs open before].

        Unless `bounded`, they are taken however many jobs are open.
        An intent that is not released by its submitter within 5 s is released by a worker: this heals a submit that
        died half way.
        """
        parts = [part for r in releases for part in (r.letter, r.reference, r.owner_digest, r.delay_ms)]
        return self._pipeline.script(
            lua.INTEND,
            (self.keys.scheduled, self.keys.open, self.keys.owners),
            (
                self.limit if bounded else _UNBOUNDED,
                INTENT_MS,
                LIFETIME_SECONDS * 1000,
                self.owner_limit if bounded else _UNBOUNDED,
                *parts,
            ),
        )

    async def is_open(self, release: Release) -> bool:
        """Tell whether a job was taken into the queue and has not ended."""
        return await self._pipeline.command("ZSCORE", self.keys.open, release.reference) is not None

    def release(self, releases: Sequence[Release]) -> asyncio.Future[int]:
        """Release jobs whose documents are written; an intent that is gone already is passed over."""
        return self._release(0, [part for r in releases for part in (r.member, r.delay_ms)])

    def release_due(self, most: int = 200) -> asyncio.Future[int]:
        """Release what is due: delayed jobs, retries, and intents whose submitter died."""
        return self._release(most, ())

    def _release(self, most: int, members: Sequence[str | int]) -> asyncio.Future[int]:
        keys_used = (self.keys.scheduled, *self.keys.streams, self.keys.owners)
        return self._pipeline.script(lua.RELEASE, keys_used, (most, *members))

    async def claim(self, consumer: str, free: int) -> Claimed:
        """Claim up to `free` jobs without waiting; higher priorities first, lower ones now and then."""
        first = _FIRST_LOOKS[self._looks % len(_FIRST_LOOKS)]
        self._looks += 1
        shares = [free if i == first else 0 for i in range(3)]
        if free >= len(_FIRST_LOOKS):
            shares = [free * _FIRST_LOOKS.count(i) // len(_FIRST_LOOKS) for i in range(3)]
        flat, last_ids = await self._pipeline.script(
            lua.CLAIM, (*self.keys.streams, self.keys.paused), (keys.GROUP, consumer, free, *shares)
        )
        return Claimed(_claims(flat), tuple(last_ids))

    async def wait(self, redis: Client, last_ids: Sequence[bytes], *, seconds: float) -> None:
        """Return when something was released after `last_ids`, or after `seconds`.

        A plain XREAD without a group: waking up hands nothing to anybody, so a frozen client gets no work.
        """
        behind: dict[Any, Any] = dict(zip(self.keys.streams, last_ids, strict=True))
        await redis.xread(behind, count=1, block=int(seconds * 1000))

    def settle(self, claim: Claim) -> asyncio.Future[None]:
        """Acknowledge and remove the entry of a job that ended; settled together with others of this turn."""
        return self._settling.add((claim.letter, claim.entry_id, claim.reference))

    async def drop(self, consumer: str, claim: Claim, dropped: Dropped) -> str:
        """Remove an entry that is not to be run, unless it is another worker's by now.

        Returns '', or the entry through which the job is held when that one is gone: then ours is kept, and the job is
        to be begun through it.
        """
        if dropped.reason in (Reason.GONE, Reason.ENDED):
            await self.settle(claim)
        elif dropped.reason is Reason.HELD:
            letter, holder_id = parse_entry(dropped.holder)
            streams = (self.keys.stream(claim.letter), self.keys.stream(letter))
            args = (keys.GROUP, consumer, claim.entry_id, claim.delivery, holder_id)
            if await self._pipeline.script(lua.FORGET, streams, args) < 0:
                return dropped.holder
        return ""

    def settle_unclaimed(self, reference: str, *, letter: str = "n", due_ms: int | None = None) -> asyncio.Future[None]:
        """Take a job that ended while it waited out of the open ones.

        Its entry goes too when it is in the stream `letter` and was released at about `due_ms`; one that is not
        found there is dropped when it is claimed.
        """
        return self._settling.add((letter, "0-0" if due_ms is None else f"~{due_ms}", reference))

    async def _settle(self, ended: list[tuple[str, str, str]]) -> Sequence[None]:
        await self._pipeline.script(
            lua.SETTLE,
            (*self.keys.streams, self.keys.open, self.keys.ended, self.keys.owners, self.keys.scheduled),
            (keys.GROUP, self._ended_length, *(part for triple in ended for part in triple)),
        )
        return [None] * len(ended)

    async def requeue(self, consumer: str, claim: Claim, *, delay_seconds: float = 0.0) -> bool:
        """Put a job that did not end back, with a delay as none that runs; False when its entry is no longer ours."""
        reply = await self._pipeline.script(
            lua.REQUEUE,
            (*self.keys.streams, self.keys.scheduled, self.keys.owners),
            (
                keys.GROUP,
                claim.entry_id,
                claim.letter,
                claim.reference,
                int(delay_seconds * 1000),
                consumer,
                claim.delivery,
            ),
        )
        return bool(reply)

    async def rescue(
        self, consumer: str, *, idle_seconds: float, pace_seconds: float, most: int = 100, sent_ms: int | None = None
    ) -> list[Claim]:
        """Claim entries whose worker fell silent; returns nothing when the fleet swept a moment ago.

        Raises SweptLateError when it reached Redis more than a second after `sent_ms` (on Redis's clock).
        """
        flat = await self._pipeline.script(
            lua.RESCUE,
            (self.keys.sweep, self.keys.cursor, *self.keys.streams),
            (
                keys.GROUP,
                consumer,
                int(idle_seconds * 1000),
                int(pace_seconds * 1000),
                most,
                "" if sent_ms is None else sent_ms,
            ),
        )
        if flat == [b"late"]:
            raise SweptLateError
        parts = [iter(flat)] * 4
        return [
            Claim(letter.decode(), entry_id.decode(), reference.decode(), rescued=True, delivery=delivery)
            for letter, entry_id, reference, delivery in zip(*parts, strict=True)
        ]

    def clock_ms(self) -> asyncio.Future[int]:
        """Return the time on the clock by which idle times count."""
        return self._pipeline.script(lua.CLOCK, (self.keys.sweep,), ())

    async def renew(self, consumer: str, claims: Sequence[Claim]) -> set[str]:
        """Renew the entries this consumer still holds and return the ids of jobs that it has lost."""
        lost: set[str] = set()
        for keys_used, args, mine in renewals(self.keys, consumer, claims):
            gone = await self._pipeline.script(lua.RENEW, keys_used, args)
            lost.update(mine[entry.decode()] for entry in gone)
        return lost

    async def open_jobs(self, start: int, count: int) -> list[tuple[str, float]]:
        """Return references of open jobs, each with the time in ms by which it must have started."""
        last = start + count - 1
        reply: list[Any] = await self._pipeline.command("ZRANGE", self.keys.open, start, last, "WITHSCORES")
        return [(name.decode(), float(score)) for name, score in _scored(reply)]

    async def take_turn(self, seconds: float) -> bool:
        """Tell whether it is this worker's turn to inspect the open jobs."""
        return bool(await self._pipeline.command("SET", self.keys.inspect, "1", "NX", "PX", int(seconds * 1000)))

    async def give_turn_back(self) -> None:
        """Let the next worker inspect the open jobs: this one did not come to the end."""
        await self._pipeline.command("DEL", self.keys.inspect)

    async def is_pending(self, letter: str, entry_id: str) -> bool:
        """Tell whether an entry is with a worker."""
        stream = self.keys.stream(letter)
        return bool(await self._pipeline.command("XPENDING", stream, keys.GROUP, entry_id, entry_id, 1))

    async def retire_consumers(self, *, idle_seconds: float) -> int:
        """Forget consumers that are gone and hold nothing; one that is not gone is there again with its next claim."""
        return await self._pipeline.script(lua.RETIRE, self.keys.streams, (keys.GROUP, int(idle_seconds * 1000), ""))

    async def leave(self, consumer: str) -> int:
        """Forget a consumer that claims no more, unless it holds something."""
        return await self._pipeline.script(lua.RETIRE, self.keys.streams, (keys.GROUP, -1, consumer))

    async def pause(self) -> None:
        """Hand out no more jobs until `resume`; those that run go on."""
        await self._pipeline.command("SET", self.keys.paused, "1")

    async def resume(self) -> None:
        """Hand out jobs again."""
        await self._pipeline.command("DEL", self.keys.paused)


def _scored(reply: list[Any]) -> list[tuple[bytes, bytes | float]]:
    """Read members with scores as RESP3 (pairs) or RESP2 (flat) sends them."""
    if reply and isinstance(reply[0], bytes):
        return list(zip(reply[::2], reply[1::2], strict=True))
    return [(pair[0], pair[1]) for pair in reply]


def _claims(flat: Sequence[Any]) -> list[Claim]:
    texts = [part.decode() for part in flat]
    return [
        Claim(letter, entry_id, reference)
        for letter, entry_id, reference in zip(texts[::3], texts[1::3], texts[2::3], strict=True)
    ]
