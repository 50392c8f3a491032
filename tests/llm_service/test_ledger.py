"""The ledgers of the limiters: no window ever holds more than the limits, in memory and on a real Redis alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loresmith.llm_service import shared
from loresmith.llm_service.ledger import AwayError, Ledger, Limits, LocalLedger
from loresmith.llm_service.shared import SharedLedger
from tests.waiting import wait_until

WINDOW_SECONDS = 0.4
Make = Callable[[Limits], Ledger]


@pytest.fixture(params=["local", "shared"])
def make(request: pytest.FixtureRequest) -> Make:
    """Makes a ledger with a short window."""
    if request.param == "local":
        return lambda limits: LocalLedger(limits, window_seconds=WINDOW_SECONDS)
    redis = request.getfixturevalue("redis")
    return lambda limits: SharedLedger(redis, "openai", limits, window_seconds=WINDOW_SECONDS)


async def reason(taking: Awaitable[Any]) -> str:
    hindrance = await taking
    return hindrance.reason if hindrance else "begun"


async def test_tokens_are_reserved_then_settled_and_count_for_a_window_after_the_end(make: Make) -> None:
    ledger = make(Limits(tokens=100))
    assert await reason(ledger.take("a", 70)) == "begun"
    assert await reason(ledger.take("b", 40)) == "tokens"
    await ledger.leave("a", 60)
    assert await reason(ledger.take("b", 40)) == "begun"
    assert await reason(ledger.take("c", 1)) == "tokens"
    await ledger.leave("b", 40)

    async def free() -> bool:
        return await reason(ledger.take("d", 100)) == "begun"

    clock = asyncio.get_running_loop().time
    ended = clock()
    await wait_until(free)
    assert clock() - ended >= WINDOW_SECONDS * 0.95


async def test_a_request_under_way_counts_however_long_it_takes(make: Make) -> None:
    ledger = make(Limits(tokens=100))
    assert await reason(ledger.take("a", 100)) == "begun"
    over = asyncio.get_running_loop().time() + 2 * WINDOW_SECONDS
    await wait_until(lambda: asyncio.get_running_loop().time() > over)
    assert await reason(ledger.take("b", 1)) == "tokens"


async def test_requests_count_from_their_begin(make: Make) -> None:
    ledger = make(Limits(requests=2))
    for name in "ab":
        assert await reason(ledger.take(name, 5)) == "begun"
        await ledger.leave(name, 5)
    assert await reason(ledger.take("c", 5)) == "requests"


async def test_calls_at_once_are_bounded(make: Make) -> None:
    ledger = make(Limits(calls=1))
    assert await reason(ledger.take("a", 5)) == "begun"
    assert await reason(ledger.take("b", 5)) == "calls"
    await ledger.leave("a", 5)
    assert await reason(ledger.take("b", 5)) == "begun"


async def test_what_was_never_sent_gives_everything_back(make: Make) -> None:
    ledger = make(Limits(requests=1, tokens=10, calls=1))
    assert await reason(ledger.take("a", 10)) == "begun"
    await ledger.leave("a", None)
    assert await reason(ledger.take("b", 10)) == "begun"


async def test_taking_and_leaving_may_be_repeated(make: Make) -> None:
    ledger = make(Limits(tokens=100))
    for _ in range(3):
        assert await reason(ledger.take("a", 60)) == "begun"
    for _ in range(3):
        await ledger.leave("a", 50)
    assert await reason(ledger.take("b", 51)) == "tokens"
    assert await reason(ledger.take("c", 51)) in ("tokens", "line")
    await ledger.leave("b", None)
    await ledger.leave("c", None)
    assert await reason(ledger.take("d", 50)) == "begun"


async def test_a_pause_holds_everybody_and_the_longest_counts(make: Make) -> None:
    ledger = make(Limits())
    await ledger.pause(0.3)
    await ledger.pause(0.01)
    hindrance = await ledger.take("a", 5)
    assert hindrance
    assert hindrance.reason == "paused"
    assert 0.1 < hindrance.wait_seconds <= 0.3

    async def over() -> bool:
        return await reason(ledger.take("a", 5)) == "begun"

    await wait_until(over)


async def test_who_came_first_begins_first_also_when_the_other_needs_less(redis: Any) -> None:
    one, other = (SharedLedger(redis, "openai", Limits(tokens=100), window_seconds=WINDOW_SECONDS) for _ in range(2))
    assert await reason(one.take("a", 60)) == "begun"
    assert await reason(one.take("large", 90)) == "tokens"
    assert await reason(other.take("small", 10)) == "line"
    await one.leave("large", None)
    assert await reason(other.take("small", 10)) == "begun"


async def test_one_in_the_line_that_fell_silent_is_passed(redis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_LINE_SILENCE_SECONDS", 0.1)
    ledger = SharedLedger(redis, "openai", Limits(tokens=100), window_seconds=60)
    assert await reason(ledger.take("a", 60)) == "begun"
    assert await reason(ledger.take("dead", 90)) == "tokens"

    async def begun() -> bool:
        return await reason(ledger.take("small", 10)) == "begun"

    await wait_until(begun)


async def test_a_request_of_a_process_that_died_is_forgotten_after_its_lease(
    redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "LEASE_SECONDS", 0.3)
    ledger = SharedLedger(redis, "openai", Limits(calls=1), window_seconds=WINDOW_SECONDS)
    assert await reason(ledger.take("held", 5)) == "begun"
    over = asyncio.get_running_loop().time() + 0.6

    async def held() -> bool:
        await ledger.hold(["held"])
        assert await reason(ledger.take("b", 5)) in ("calls", "line")
        return asyncio.get_running_loop().time() > over

    await wait_until(held)

    async def begun() -> bool:
        return await reason(ledger.take("b", 5)) == "begun"

    await wait_until(begun)


async def test_providers_do_not_know_each_other(redis: Any) -> None:
    one, other = SharedLedger(redis, "openai", Limits(calls=1)), SharedLedger(redis, "anthropic", Limits(calls=1))
    assert await reason(one.take("a", 5)) == "begun"
    assert await reason(other.take("b", 5)) == "begun"


async def test_a_redis_that_is_away_is_told_apart_from_a_bug(redis: Any) -> None:
    from loresmith.bootstrap import connect

    async with connect("redis://127.0.0.1:1/0") as nowhere:
        with pytest.raises(AwayError):
            await SharedLedger(nowhere, "openai", Limits(calls=1)).take("a", 5)
    await redis.set("limiter:{openai}:running", "of another type", px=1000)
    with pytest.raises(Exception, match="WRONGTYPE"):
        await SharedLedger(redis, "openai", Limits(calls=1)).take("a", 5)


steps = st.lists(
    st.tuples(st.floats(0, 30), st.integers(1, 60), st.floats(0, 90), st.floats(0, 1)), min_size=1, max_size=40
)


@given(steps)
def test_no_window_holds_more_tokens_than_the_limit(plan: list[tuple[float, int, float, float]]) -> None:
    """Whether a provider books tokens at the begin, at the end, or in between: all that overlap a window fit it."""
    asyncio.run(_no_window_holds_more(plan))


async def _no_window_holds_more(plan: list[tuple[float, int, float, float]]) -> None:
    now = 0.0
    ledger = LocalLedger(Limits(tokens=100), window_seconds=60, clock=lambda: now)
    booked: list[tuple[float, float, int]] = []
    ends: list[tuple[float, str, int, float]] = []
    for number, (gap, weight, duration, share) in enumerate(plan):
        now += gap
        for end in sorted(each for each in ends if each[0] <= now):
            later, now = now, end[0]
            await ledger.leave(end[1], end[2])
            booked.append((end[3], end[0], end[2]))
            ends.remove(end)
            now = later
        if await ledger.take(str(number), weight) is None:
            ends.append((now + duration, str(number), max(1, round(weight * share)), now))
    booked += [(begin, end, used) for end, _, used, begin in ends]
    for begin, end, _ in booked:
        for opens in (begin, end):
            within = [used for start, stop, used in booked if start <= opens + 60 and stop > opens]
            assert sum(within) <= 100, (opens, booked)
