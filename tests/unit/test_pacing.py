"""Pauses between the tries of a job, on a clock of the test's own."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loresmith.jobs import Pacing

DEADLINE = 600.0
seeds = st.integers(0, 2**32)
wishes = st.one_of(st.none(), st.floats(0, 120))


def pacing(seed: int) -> Pacing:
    return Pacing(uniform=random.Random(seed).uniform)


def waits(paced: Pacing, *, deadline: float = DEADLINE, wish: float | None = None) -> list[float]:
    """Return the moments of all looks for something that stays away."""
    now, looks = 0.0, [0.0]
    while (pause := paced.wait(len(looks), left_seconds=deadline - now, retry_after_seconds=wish)) is not None:
        now += pause
        looks.append(now)
    return looks


@given(seeds)
def test_waits_are_of_1_to_30_seconds_and_grow(seed: int) -> None:
    looks = waits(pacing(seed))
    pauses = [after - before for before, after in pairwise(looks)]
    assert all(0.999 <= pause <= 30.001 for pause in pauses[:-1])
    assert pauses[0] <= 2.001
    assert pauses[1] <= 4.001
    assert 20 <= len(looks) <= 150


def test_later_waits_are_longer_on_average() -> None:
    paced = pacing(1)
    means = [sum(paced.wait(times, left_seconds=DEADLINE) or 0 for _ in range(200)) / 200 for times in (1, 2, 3, 4, 5)]
    assert means == sorted(means)
    assert means[-1] > 12


@given(seeds, st.floats(1, 120))
def test_no_wait_is_shorter_than_the_provider_asked_for(seed: int, wish: float) -> None:
    pauses = [after - before for before, after in pairwise(waits(pacing(seed), wish=wish))]
    assert all(pause >= wish - 0.001 for pause in pauses[:-1])


@given(seeds, st.floats(0.1, 1000), wishes)
def test_the_last_wait_ends_at_the_deadline(seed: int, deadline: float, wish: float | None) -> None:
    assert waits(pacing(seed), deadline=deadline, wish=wish)[-1] == pytest.approx(deadline)


def test_a_job_looks_again_within_31_seconds_of_a_return() -> None:
    for seed in range(200):
        looks = waits(pacing(seed))
        assert min(look for look in looks if look >= 120) - 120 <= 30.001


@given(seeds, wishes)
def test_three_attempts_span_a_minute(seed: int, wish: float | None) -> None:
    paced = pacing(seed)
    pauses = [paced.retry(number, left_seconds=DEADLINE, retry_after_seconds=wish) for number in (1, 2)]
    assert sum(pause or 0.0 for pause in pauses) >= 60
    assert all(pause is not None and pause >= (wish or 0.0) for pause in pauses)


@given(seeds, st.integers(1, 50), st.floats(0, DEADLINE), wishes)
def test_a_retry_comes_before_the_deadline_or_not_at_all(
    seed: int, failures: int, left: float, wish: float | None
) -> None:
    pause = pacing(seed).retry(failures, left_seconds=left, retry_after_seconds=wish)
    assert pause is None or (wish or 0.0) <= pause < left


def test_a_job_with_a_near_deadline_is_tried_again_before_it() -> None:
    assert pacing(1).retry(2, left_seconds=20.0) == 10.0
    assert pacing(1).retry(2, left_seconds=20.0, retry_after_seconds=15.0) is None


def test_a_schedule_stands_in_place_of_the_pacing() -> None:
    schedule = (5.0, 300.0)
    for failures, wait in ((1, 5.0), (2, 300.0), (7, 300.0)):
        pause = pacing(1).retry(failures, left_seconds=86_400, schedule=schedule)
        assert pause is not None
        assert wait <= pause <= wait * 1.1
