"""Any order of calls by several workers, each perhaps repeated or never finished, keeps what the scripts promise."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from loresmith.bootstrap import connect
from loresmith.jobs.claim import Begun, Claim, Dropped, Reason
from loresmith.jobs.keys import owner_digest
from loresmith.jobs.outcomes import Cancelled, Completed, end_document
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Intended, Queue, Release
from loresmith.jobs.store import END, Created, Store, Written, waiting_lease
from loresmith.jobs.types import Job, JobInput, Priority, State, Status, timestamp

T = TypeVar("T")
Call = Callable[[], Awaitable[T]]

WORKERS = ("a", "b")
_LIMIT = 1
Limits = tuple[int, int]
limits = st.tuples(st.sampled_from([0, _LIMIT]), st.sampled_from([0, _LIMIT, 2]))
_STEPS = 50
_MOST_JOBS = 3
"""Open at once: few, so that the calls meet each other."""
_DAY_SECONDS = 86_400

twice = st.sampled_from((False, False, True))
"""Whether a call is repeated, as if its reply had been lost."""
at_once = st.sampled_from((False, True, True))
"""Whether a claimed job is begun before anything else happens."""
seldom = st.sampled_from((True, False, False, False))
"""Whether to do what cuts a story short."""
any_index = st.integers(0, 1_000)


@dataclass
class Known:
    """What the model knows of a job."""

    release: Release
    created: bool = False
    runs: int = 0
    lease: str = "0:"
    cancel_asked: bool = False
    items: dict[str, bytes] = field(default_factory=dict[str, bytes])
    last: bytes | None = None
    """The document with which it ended."""


@dataclass
class Held:
    """A claim as a worker knows it, and its run once it has begun; a worker may know less than is true."""

    worker: str
    claim: Claim
    begun: Begun | None = None
    handed_back: bool = False
    ended: bool = False


def _claimed(held: Held) -> bool:
    return held.begun is None


def _running(held: Held) -> bool:
    return held.begun is not None and not held.handed_back and not held.ended


def _handed_back(held: Held) -> bool:
    return held.handed_back


def _ended(held: Held) -> bool:
    return held.ended


class Machine(RuleBasedStateMachine):
    """Several workers' calls of the store and the queue, in any order, against a model of the fence."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.jobs: dict[str, Known] = {}
        self.held: list[Held] = []
        self.run(self._connect(url))

    async def _connect(self, url: str) -> None:
        self.redis: Any = connect(url)
        await self.redis.flushall()
        self.pipeline = Pipeline(self.redis)
        self.store, self.queue = Store(self.pipeline), Queue(self.pipeline)

    def run(self, work: Any) -> Any:
        """Run a coroutine on the loop of this machine."""
        return self.runner.run(work)

    async def _call(self, call: Call[T], again: bool) -> T:
        reply = await call()
        return await call() if again else reply

    def has(self, fits: Callable[[Held], bool]) -> bool:
        """Whether some worker holds something of this kind."""
        return any(fits(held) for held in self.held)

    def _pick(self, index: int, fits: Callable[[Held], bool]) -> Held | None:
        found = [held for held in self.held if fits(held)]
        return found[index % len(found)] if found else None

    # --------------------------------------------------------------------------------------------- submitting

    @initialize(limited=limits)
    def submit(self, limited: Limits) -> None:
        """Let there be something to work on."""
        self.intend(limited, Priority.NORMAL, False)
        self.create(0, False)
        self.release(0, False)

    @precondition(lambda self: sum(known.last is None for known in self.jobs.values()) < _MOST_JOBS)
    @rule(limited=limits, priority=st.sampled_from(list(Priority)), again=twice)
    def intend(self, limited: Limits, priority: Priority, again: bool) -> None:
        job_id = str(UUID(int=len(self.jobs) + 1))
        of_owner, of_type = limited
        release = Release(job_id, priority, owner="owner", running_limit=of_owner, type="any", type_limit=of_type)
        self.jobs[job_id] = Known(release)

        async def call() -> list[int]:
            return await self.queue.intend([release])

        assert self.run(self._call(call, again))[0] == Intended.TAKEN

    @precondition(lambda self: any(not known.created for known in self.jobs.values()))
    @rule(index=any_index, again=twice)
    def create(self, index: int, again: bool) -> None:
        waiting = [job_id for job_id, known in self.jobs.items() if not known.created]
        job_id = waiting[index % len(waiting)]
        known = self.jobs[job_id]
        known.created = True
        job = Job(
            id=job_id,
            type="any",
            status=Status.PENDING,
            state=State.QUEUED,
            created_at=timestamp(),
            updated_at=timestamp(),
            priority=known.release.priority,
        )
        submitted = JobInput(
            payload=msgspec.Raw(b"{}"),
            owner="owner",
            root_job_id=job_id,
            running_limit=known.release.running_limit,
            type_limit=known.release.type_limit,
        )

        async def call() -> int:
            return await self.store.create(job, submitted, intent_ms=await self.store.clock_ms())

        assert self.run(self._call(call, again)) == (Created.EXISTED if again else Created.DONE)

    @precondition(lambda self: bool(self.jobs))
    @rule(index=any_index, again=twice)
    def release(self, index: int, again: bool) -> None:
        known = list(self.jobs.values())[index % len(self.jobs)]
        if known.created:

            async def call() -> int:
                return await self.queue.release([known.release])

            self.run(self._call(call, again))

    @rule(again=twice)
    def release_what_is_due(self, again: bool) -> None:
        self.run(self._call(self._release_due, again))

    async def _release_due(self) -> int:
        """Release all that is scheduled for a job that was created, as if its time had come."""
        for member in await self.redis.zrange(self.queue.keys.scheduled, 0, -1):
            if self.jobs[member.decode().split(":")[1]].created:
                await self.redis.zadd(self.queue.keys.scheduled, {member: 0}, xx=True)
        return await self.queue.release_due()

    # --------------------------------------------------------------------------------------------- working

    @rule(worker=st.sampled_from(WORKERS), free=st.integers(1, 3), again=twice, at_once=at_once)
    def claim(self, worker: str, free: int, again: bool, at_once: bool) -> None:
        async def call() -> list[Claim]:
            return (await self.queue.claim(worker, free)).claims

        claims = self.run(self._call(call, again))
        assert len(claims) <= free
        self._take(worker, claims, at_once)

    def _take(self, worker: str, claims: list[Claim], at_once: bool) -> None:
        taken = [Held(worker, claim) for claim in claims]
        self.held += taken
        for held in taken if at_once else ():
            self.run(self._begin(held, False))

    @rule(worker=st.sampled_from(WORKERS), again=twice, at_once=at_once)
    def rescue(self, worker: str, again: bool, at_once: bool) -> None:
        async def call() -> list[Claim]:
            await self.redis.delete(self.queue.keys.sweep)
            return await self.queue.rescue(worker, idle_seconds=0.0, pace_seconds=60.0)

        claims = self.run(self._call(call, again))
        mine = {held.claim.entry for held in self.held if held.worker == worker and held.begun}
        self._take(worker, [claim for claim in claims if claim.entry not in mine], at_once)

    @precondition(lambda self: self.has(_claimed))
    @rule(index=any_index, again=twice)
    def begin(self, index: int, again: bool) -> None:
        if held := self._pick(index, _claimed):
            self.run(self._begin(held, again))

    async def _begin(self, held: Held, again: bool, gone: str = "") -> None:
        async def call() -> Begun | Dropped:
            return await self.store.begin(held.claim, held.worker, gone=gone)

        found = await self._call(call, again)
        known = self.jobs[held.claim.job_id]
        if isinstance(found, Dropped):
            assert (found.reason is Reason.ENDED) == (known.last is not None)
            assert (found.reason is Reason.GONE) == (not known.created)
            if gone := await self.queue.drop(held.worker, held.claim, found):
                await self._begin(held, again, gone)
            else:
                self.held.remove(held)
            return
        assert known.last is None
        assert found.run > known.runs or found.lease == known.lease
        assert {name: bytes(value) for name, value in found.checkpoint.items()} == known.items
        assert found.cancel_asked == known.cancel_asked
        known.runs, known.lease, held.begun = found.run, found.lease, found

    @precondition(lambda self: self.has(_running))
    @rule(index=any_index, item=st.none() | st.integers(0, 3), again=twice)
    def write(self, index: int, item: int | None, again: bool) -> None:
        held = self._pick(index, _running)
        if held is None or held.begun is None:
            return
        begun, known = held.begun, self.jobs[held.claim.job_id]
        job = begun.job
        if job.state is not State.RUNNING:
            job.move(State.RUNNING)
        job.message = begun.lease
        job.touch()
        items = {str(item): f'"{held.worker}{begun.run}"'.encode()} if item is not None else {}
        written = self._written(held, job, again, items=items)
        if written is Written.LOST:
            self.held.remove(held)
        else:
            known.items.update(items)

    def _written(self, held: Held, job: Job, again: bool, **options: Any) -> Written:
        """Write and check the reply against the fence: only the lease that stands lets anybody write."""
        assert held.begun
        lease, known = held.begun.lease, self.jobs[held.claim.job_id]

        async def call() -> int:
            return await self.store.write(job, lease=lease, **options)

        expected = Written.DONE
        if lease != known.lease:
            expected = Written.LOST
        elif known.cancel_asked:
            expected = Written.REFUSED_FOR_CANCEL if options.get("unless_cancelled") else Written.DONE_CANCEL_ASKED
        written = Written(self.run(self._call(call, again)))
        moved = options.get("new_lease", lease) != lease
        if again and moved and expected is Written.DONE_CANCEL_ASKED:
            expected = Written.DONE  # a repeat of a last write only says that it was done
        assert written == expected
        if moved and written in (Written.DONE, Written.DONE_CANCEL_ASKED):
            known.lease = options["new_lease"]
        return written

    @precondition(lambda self: self.has(_running))
    @rule(index=any_index, again=twice)
    def hand_back(self, index: int, again: bool) -> None:
        """The first half: the document. The worker may die before the second."""
        held = self._pick(index, _running)
        if held is None or held.begun is None:
            return
        job = msgspec.structs.replace(held.begun.job, tags=[held.begun.lease])  # no two workers write the same
        if job.state is not State.RUNNING:
            job.move(State.RUNNING)
        job.move(State.RETRYING)
        job.touch()
        new_lease = waiting_lease(held.begun.run)
        written = self._written(held, job, again, new_lease=new_lease, unless_cancelled=True)
        if written is Written.LOST:
            self.held.remove(held)
        elif written is Written.DONE:
            held.handed_back = True

    @precondition(lambda self: self.has(_handed_back))
    @rule(index=any_index, delayed=st.booleans(), again=twice)
    def requeue(self, index: int, delayed: bool, again: bool) -> None:
        if held := self._pick(index, _handed_back):
            self.held.remove(held)

            async def call() -> bool:
                return await self.queue.requeue(held.worker, held.claim, delay_seconds=60.0 if delayed else 0.0)

            self.run(self._call(call, again))

    @precondition(lambda self: self.has(_running))
    @rule(index=any_index, again=twice, really=seldom)
    def end(self, index: int, again: bool, really: bool) -> None:
        """The first half: the document. The worker may die before the second."""
        held = self._pick(index, _running)
        if held is not None and really:
            self._end(held, again)

    def _end(self, held: Held, again: bool) -> None:
        assert held.begun
        known = self.jobs[held.claim.job_id]
        outcome = Cancelled() if known.cancel_asked else Completed(b'"done"')
        job = msgspec.structs.replace(held.begun.job, tags=[held.begun.lease])  # no two workers write the same
        if job.state is not State.RUNNING:
            job.move(State.RUNNING)
        end_document(job, outcome, lifetime_seconds=_DAY_SECONDS)
        job.touch()
        written = self._written(held, job, again, new_lease=END, unless_cancelled=isinstance(outcome, Completed))
        if written is Written.LOST:
            self.held.remove(held)
            return
        held.ended = True
        known.last = msgspec.json.encode(job)
        if isinstance(outcome, Completed):
            known.items = {}

    @precondition(lambda self: self.has(_ended))
    @rule(index=any_index, again=twice)
    def settle(self, index: int, again: bool) -> None:
        if held := self._pick(index, _ended):
            self.held.remove(held)

            async def call() -> None:
                await self.queue.settle(held.claim)

            self.run(self._call(call, again))

    @rule(worker=st.sampled_from(WORKERS))
    def renew(self, worker: str) -> None:
        claims = [held.claim for held in self.held if held.worker == worker]
        self.run(self._renew(worker, claims))

    async def _renew(self, worker: str, claims: list[Claim]) -> None:
        pending = {entry for entry, consumer in await self._pending() if consumer == worker}
        lost = await self.queue.renew(worker, claims)
        assert lost == {claim.job_id for claim in claims if claim.entry not in pending}

    async def _pending(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for letter in "hnl":
            if await self._has_group(letter):
                entries = await self.redis.xpending_range(self.queue.keys.stream(letter), "workers", "-", "+", 1000)
                found += [(f"{letter}{one['message_id'].decode()}", one["consumer"].decode()) for one in entries]
        return found

    async def _has_group(self, letter: str) -> bool:
        key = self.queue.keys.stream(letter)
        return bool(await self.redis.exists(key)) and bool(await self.redis.xinfo_groups(key))

    @precondition(lambda self: bool(self.held))
    @rule(index=any_index, really=seldom)
    def worker_forgets(self, index: int, really: bool) -> None:
        """A worker dies, as far as this claim goes."""
        if really and (held := self._pick(index, lambda _: True)):
            self.held.remove(held)

    # --------------------------------------------------------------------------------------------- cancelling

    @precondition(lambda self: any(known.created for known in self.jobs.values()))
    @rule(index=any_index, again=twice, really=seldom)
    def cancel(self, index: int, again: bool, really: bool) -> None:
        ids = [job_id for job_id, known in self.jobs.items() if known.created]
        if really:
            self.run(self._cancel(ids[index % len(ids)], again))

    async def _cancel(self, job_id: str, again: bool) -> None:
        known = self.jobs[job_id]
        lease = await self._call(lambda: self.store.ask_cancel(job_id, "now"), again)
        assert lease == known.lease
        if lease == END:
            return
        known.cancel_asked = True
        if lease.endswith(":"):
            job = await self.store.load(job_id)
            end_document(job, Cancelled(), lifetime_seconds=_DAY_SECONDS)
            job.touch()

            async def call() -> int:
                return await self.store.write(job, lease=lease, new_lease=END)

            written = await self._call(call, again)
            assert written == (Written.DONE if again else Written.DONE_CANCEL_ASKED)
            known.lease, known.last = END, msgspec.json.encode(job)
            await self.queue.settle_unclaimed(known.release.reference)

    # --------------------------------------------------------------------------------------------- what must hold

    @invariant()
    def documents_items_and_leases_are_as_the_fence_allows(self) -> None:
        self.run(self._compare())

    async def _compare(self) -> None:
        created = {job_id: known for job_id, known in self.jobs.items() if known.created}
        reads: Any = self.redis.pipeline(transaction=False)
        for job_id in created:
            reads.get(f"{{job:{job_id}}}:lease").hgetall(f"{{job:{job_id}}}:items").get(f"job:{job_id}")
        replies: list[Any] = await reads.execute()
        for known, lease, items, document in zip(created.values(), *(replies[i::3] for i in range(3)), strict=True):
            assert lease.decode() == known.lease
            assert {name.decode(): value for name, value in items.items()} == known.items
            assert known.last in (None, document)

    @invariant()
    def every_open_job_has_an_entry_an_intent_or_a_place_in_a_list(self) -> None:
        self.run(self._find())

    async def _find(self) -> None:
        places = self.queue.keys
        reads: Any = self.redis.pipeline(transaction=False)
        reads.zrange(places.open, 0, -1).zrange(places.scheduled, 0, -1)
        for bound in (owner_digest("owner"), "type-any"):
            reads.lrange(f"{places.owners}:waiting:{bound}", 0, -1)
        for stream in places.streams:
            reads.xrange(stream)
        unended, scheduled, of_owner, of_type, *streams = await reads.execute()
        found: set[bytes] = {member[2:] for member in (*scheduled, *of_owner, *of_type)}
        found |= {entry[b"job"] for entries in streams for _, entry in entries}
        assert {reference for reference in unended if reference not in found} == set()

    def teardown(self) -> None:
        """All workers are dead: another one ends what is left."""
        try:
            self.run(self._come_to_an_end())
        finally:
            self.run(self._close())
            self.runner.close()

    async def _come_to_an_end(self) -> None:
        self.held = []
        for known in self.jobs.values():
            known.created = True  # or never will be: its intent becomes due as well, and is dropped
        for _ in range(3 * len(self.jobs) + 3):
            await self._release_due()
            await self.redis.delete(self.queue.keys.sweep)
            claims = await self.queue.rescue("last", idle_seconds=0.0, pace_seconds=60.0)
            claims += (await self.queue.claim("last", 10)).claims
            for claim in claims:
                await self._finish(claim)
        assert await self.redis.zcard(self.queue.keys.open) == 0
        assert [key async for key in self.redis.scan_iter(f"{self.queue.keys.owners}:*")] == []
        assert await self.redis.zcard(self.queue.keys.scheduled) == 0
        assert [await self.redis.xlen(stream) for stream in self.queue.keys.streams] == [0, 0, 0]
        assert await self._pending() == []
        noted = Counter(entry[b"id"].decode() for _, entry in await self.redis.xrange(self.queue.keys.ended))
        assert noted == Counter(list(self.jobs))
        async for key in self.redis.scan_iter("*job:*"):
            assert 0 < await self.redis.ttl(key) <= _DAY_SECONDS

    async def _finish(self, claim: Claim, gone: str = "") -> None:
        begun = await self.store.begin(claim, "last", gone=gone)
        if isinstance(begun, Dropped):
            if gone := await self.queue.drop("last", claim, begun):
                await self._finish(claim, gone)
            return
        job = begun.job
        job.move(State.RUNNING)
        end_document(job, Cancelled() if begun.cancel_asked else Completed(b"1"), lifetime_seconds=_DAY_SECONDS)
        job.touch()
        assert await self.store.write(job, lease=begun.lease, new_lease=END) in (1, 3)
        await self.queue.settle(claim)

    async def _close(self) -> None:
        await self.pipeline.close()
        await self.redis.flushall()
        await self.redis.aclose()


def test_a_hand_back_that_comes_late_leaves_the_job_to_its_rescuer(redis_server: str) -> None:
    """A worker frozen between the two halves of its hand-back took the rescuer's entry away: the job was lost."""
    machine = Machine(redis_server)
    machine.submit(limited=(0, 0))
    machine.claim("a", 1, again=False, at_once=True)
    machine.hand_back(0, again=False)
    machine.rescue("b", again=False, at_once=True)
    machine.requeue(0, delayed=False, again=False)
    machine.claim("a", 1, again=False, at_once=True)
    machine.every_open_job_has_an_entry_an_intent_or_a_place_in_a_list()
    machine.teardown()


def test_a_begin_that_comes_after_its_entry_was_put_back_keeps_nobody_from_the_new_one(redis_server: str) -> None:
    """A claim begun late named an entry that was gone, and the new entry was dropped for it: the job was lost."""
    machine = Machine(redis_server)
    machine.submit(limited=(0, 0))
    machine.claim("a", 1, again=False, at_once=False)
    machine.rescue("a", again=False, at_once=True)
    machine.hand_back(0, again=False)
    machine.requeue(0, delayed=False, again=False)
    machine.begin(0, again=False)
    machine.claim("a", 1, again=False, at_once=True)
    machine.every_open_job_has_an_entry_an_intent_or_a_place_in_a_list()
    machine.teardown()


@pytest.mark.timeout(300)  # a failure takes its time to become short
@pytest.mark.parametrize("examples", [60, pytest.param(1_000, marks=pytest.mark.long)])
def test_any_order_of_calls_keeps_the_promises(redis_server: str, examples: int) -> None:
    make: Any = lambda: Machine(redis_server)  # noqa: E731 (declared as a class, documented as any factory)
    run_state_machine_as_test(
        make,
        settings=settings(
            max_examples=examples,
            stateful_step_count=_STEPS,
            deadline=None,
            database=None,
            suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
        ),
    )
