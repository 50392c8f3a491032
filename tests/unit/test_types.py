"""The state machine's table is whole and consistent."""

import pytest

from loresmith.jobs.types import STATUS_OF, TERMINAL, TRANSITIONS, Job, State, Status, timestamp


def new_job(state: State) -> Job:
    now = timestamp()
    return Job(id="x", type="t", status=STATUS_OF[state], state=state, created_at=now, updated_at=now)


def test_every_state_has_a_status() -> None:
    assert set(STATUS_OF) == set(State)
    assert set(STATUS_OF.values()) == set(Status)


def test_nothing_leaves_a_terminal_state() -> None:
    assert not [edge for edge in TRANSITIONS if edge[0] in TERMINAL]


@pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RUNNING, State.RETRYING])
def test_every_open_state_can_end_as_failed_and_as_cancelled(state: State) -> None:
    assert (state, State.FAILED) in TRANSITIONS
    assert (state, State.CANCELLED) in TRANSITIONS


@pytest.mark.parametrize(("before", "after"), TRANSITIONS)
def test_a_move_keeps_status_and_done_in_step(before: State, after: State) -> None:
    job = new_job(before)
    job.move(after)
    assert job.status is STATUS_OF[after]
    assert job.done is (job.status in (Status.COMPLETED, Status.FAILED))


def test_a_move_without_an_edge_is_refused() -> None:
    job = new_job(State.COMPLETED)
    with pytest.raises(ValueError, match="cannot go from"):
        job.move(State.RUNNING)
