"""What a job says of its progress and its end, whatever happens to it."""

import asyncio
import math
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from loresmith.jobs.claim import Begun, Claim
from loresmith.jobs.forecast import SLOW
from loresmith.jobs.pace import Pace
from loresmith.jobs.profile import Profile
from loresmith.jobs.profiles import Past
from loresmith.jobs.progress import ALMOST, Estimator
from loresmith.jobs.residuals import Residuals
from loresmith.jobs.run import Run
from loresmith.jobs.trace import TRACE_VERSION, Trace
from loresmith.jobs.types import Job, JobInput, State, Status, timestamp


def trace(*marks: tuple[int, int, int], total_ms: int = 10_000) -> Trace:
    """A job that reached its marks (part, mark, ms since the one before)."""
    return Trace(TRACE_VERSION, 0, total_ms, [], [number for mark in marks for number in mark])


def alike(seconds: float = 10.0) -> list[Trace]:
    """Jobs of one part with four checkpoints, evenly spread."""
    step = int(250 * seconds)
    return [trace(*((0, mark, step) for mark in (3, 2, 1, 0)), total_ms=4 * step) for _ in range(12)]


def estimator(traces: list[Trace], **options: float) -> Estimator:
    return Estimator(Profile(traces), Residuals(traces), **options)


MARKS = st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 40_000))


@st.composite
def traces_of_chance(draw: st.DrawFn) -> Trace:
    marks = draw(st.lists(MARKS, max_size=8))
    return trace(*marks, total_ms=sum(ms for *_, ms in marks) + draw(st.integers(1, 60_000)))


TRACES = st.lists(traces_of_chance(), min_size=8, max_size=12)
STEPS = st.lists(st.tuples(st.floats(0, 60), st.integers(0, 4), st.integers(0, 6)), max_size=30)


@given(traces=TRACES, steps=STEPS, pace=st.floats(0.2, 5), done=st.sampled_from([0.0, 0.4, 1.0]))
@settings(max_examples=150, deadline=None)
def test_an_estimate_never_goes_back_is_never_done_early_and_lies_in_its_interval(
    traces: list[Trace], steps: list[tuple[float, int, int]], pace: float, done: float
) -> None:
    one, now, shown = estimator(traces, pace=pace, done=done), 0.0, done
    for passed, part, mark in steps:
        now += passed
        if mark < 6:
            one.reached(part, mark, now)
        found = one.at(now)
        assert shown <= found.fraction <= max(ALMOST, done)
        assert 0 <= found.low <= found.seconds <= found.high < math.inf
        shown = found.fraction


def test_a_job_like_the_past_ones_is_estimated_right() -> None:
    one = estimator(alike())
    for number, mark in enumerate((3, 2, 1), start=1):
        one.reached(0, mark, 2.5 * number)
        found = one.at(2.5 * number)
        assert -0.06 < found.fraction - 0.25 * number < 0.03  # a little is kept back
        assert abs(found.seconds - (10 - 2.5 * number)) < 0.3


def test_a_model_that_turned_slower_stretches_the_estimate() -> None:
    pace = Pace([math.log(2.0)] * 6).factor()
    assert 1.7 < pace <= 2.0
    assert estimator(alike(), pace=pace).at(1.0).seconds > 1.6 * estimator(alike()).at(1.0).seconds


def test_what_is_overdue_is_said_and_the_bar_neither_stops_nor_arrives() -> None:
    one = estimator(alike(40.0))
    one.reached(0, 3, 10.0)
    assert not one.at(19.0).late
    before = one.at(30.0)
    after = one.at(60.0)
    assert before.late
    assert before.fraction < after.fraction < 0.8


def test_fields_written_again_are_reckoned_with() -> None:
    plain = [trace((0, 1, 5000), (0, 0, 1000), total_ms=6000) for _ in range(8)]
    again = [trace((0, 1, 5000), (0, 1002, 100), (0, 0, 6000), total_ms=11_100) for _ in range(4)]
    one = estimator(plain + again)
    one.reached(0, 1, 5.0)
    quick = one.at(5.05).seconds
    one.reached(0, 1002, 5.1)
    assert one.at(5.1).seconds > quick + 3


class Nowhere:
    """A store that takes every write."""

    def write(self, *_: object, **__: object) -> asyncio.Future[int]:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        future.set_result(1)
        return future


class Known:
    """Profiles that know one kind of job."""

    def __init__(self, traces: list[Trace]) -> None:
        self.traces = traces

    async def past(self, kind: tuple[str, str, int]) -> Past:
        return Past(kind, Profile(self.traces), Residuals(self.traces)) if self.traces else Past(kind)


def run_of(job: Job, number: int, traces: list[Trace]) -> Run:
    submitted = JobInput(payload=msgspec.Raw(b"{}"), owner="", root_job_id=job.id)
    begun = Begun(job, submitted, number, "", taken_over=number > 1, cancel_asked=False)
    nowhere: Any = Nowhere()
    known: Any = Known(traces)
    claim = Claim("n", "0-1", job.id)
    return Run(nowhere, claim, begun, expected_seconds=30.0, wake=lambda _: None, profiles=known)


def job_of() -> Job:
    now = timestamp()
    return Job(
        id="00000000-0000-0000-0000-000000000001",
        type="t",
        status=Status.PROCESSING,
        state=State.RUNNING,
        created_at=now,
        updated_at=now,
        progress=20,
    )


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("tick"), st.floats(0, 90)),
        st.tuples(st.just("report"), st.none() | st.floats(-1, 2)),
        st.tuples(st.just("reached"), st.integers(0, 3)),
        st.tuples(st.sampled_from(["compare", "finalize", "again"]), st.none()),
    ),
    max_size=25,
)


@given(actions=ACTIONS, warm=st.booleans())
@settings(max_examples=150, deadline=None)
def test_progress_never_goes_back_over_any_reports_retries_and_rescues(
    actions: list[tuple[str, Any]], warm: bool
) -> None:
    async def play() -> None:
        traces, job, number = alike() if warm else [], job_of(), 1
        run, shown, finalizing = run_of(job, 1, traces), job.progress, False
        now = run.looked_at
        for what, value in actions:
            match what:
                case "tick":
                    now += value
                    run.tick(now)
                case "report":
                    run.report(value, "Working...")
                case "reached":
                    run.reached(0, value)
                case "compare":
                    await run.compare("m", 3)
                case "finalize":
                    run.finalize("Finalizing...")
                    finalizing = True
                case _:
                    number += 1
                    run = run_of(job, number, traces)
            assert isinstance(job.progress, int)
            assert shown <= job.progress <= (90 if finalizing else 79)
            assert job.fraction is None or 0 <= job.fraction <= 1
            assert job.eta is None or 0 <= job.eta.low <= job.eta.seconds <= job.eta.high
            shown = job.progress

    asyncio.run(play())


async def test_a_job_that_stands_still_says_so_until_it_goes_on() -> None:
    job = job_of()
    run = run_of(job, 1, alike())
    await run.compare("m", 1)
    run.report(0.0, "Working...")
    run.reached(0, 3)
    run.tick(run.looked_at + 0.5)
    assert job.message == "Working..."
    run.tick(run.looked_at + 60)
    assert job.message == f"Working... {SLOW}"
    run.reached(0, 2)
    run.tick(run.looked_at + 0.6)
    assert job.message == "Working..."


async def test_what_a_run_came_to_is_not_overwritten_by_the_clock() -> None:
    run = run_of(job_of(), 1, alike())
    run.report(0.0, "Working...")
    run.tick(run.looked_at + 0.5)
    run.settling, run.job.message = True, "Waiting for the model service"
    run.tick(run.looked_at + 1)
    assert run.job.message == "Waiting for the model service"
