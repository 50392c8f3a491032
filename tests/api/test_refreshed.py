"""A value from elsewhere: never waited for while it is good, bounded in age, and asked for once at a time."""

import asyncio

import pytest

from loresmith.api.refreshed import Ages, AwayError, Refreshed
from tests.waiting import wait_until

AGES = Ages(fresh=5.0, due=10.0, kept=300.0, missed=1.0)


class Source:
    """A source that counts, fails and waits as it is told, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.loads = 0
        self.away = False
        self.open = asyncio.Event()
        self.open.set()
        self.kept: Refreshed[int] = Refreshed("numbers", self.load, AGES, clock=lambda: self.now)

    async def load(self, _known: int | None) -> int:
        self.loads += 1
        await self.open.wait()
        if self.away:
            raise OSError("secret")
        return self.loads


async def settled(source: Source) -> None:
    """Let a load in the background come to its end."""
    await wait_until(lambda: source.kept._task is None)


async def test_a_fresh_value_is_not_asked_for() -> None:
    source = Source()
    assert [await source.kept.get() for _ in range(5)] == [1] * 5
    source.now += 4.9
    assert await source.kept.get() == 1
    assert source.loads == 1


async def test_one_that_ages_is_renewed_beside_the_requests() -> None:
    source = Source()
    await source.kept.get()
    source.now += 6
    source.open.clear()
    assert [await source.kept.get() for _ in range(3)] == [1, 1, 1], "nobody waits"
    source.open.set()
    await settled(source)
    assert (await source.kept.get(), source.loads) == (2, 2)


async def test_one_that_is_due_is_waited_for_by_all_and_asked_for_once() -> None:
    source = Source()
    await source.kept.get()
    source.now += 10
    assert await asyncio.gather(*(source.kept.get() for _ in range(100))) == [2] * 100
    assert source.loads == 2


async def test_while_its_source_is_away_the_old_value_is_used_for_its_time() -> None:
    source = Source()
    await source.kept.get()
    source.away, source.now = True, source.now + 11
    assert await source.kept.get() == 1
    source.open.clear()
    source.now += 2
    assert [await source.kept.get() for _ in range(50)] == [1] * 50, "only the first one waited"
    source.open.set()
    await settled(source)
    assert source.loads == 3
    source.now += 290
    with pytest.raises(AwayError, match="numbers: cannot be had now") as caught:
        await source.kept.get()
    assert "secret" not in str(caught.value)
    source.away, source.now = False, source.now + 2
    assert await source.kept.get() == source.loads


async def test_without_a_value_an_absent_source_is_not_asked_for_each_request() -> None:
    source = Source()
    source.away = True
    for _ in range(20):
        with pytest.raises(AwayError):
            await source.kept.get()
    assert source.loads == 1


async def test_misses_renew_it_once_a_second() -> None:
    source = Source()
    await source.kept.get()
    assert [await source.kept.newer() for _ in range(20)] == [1] * 20
    source.now += 1.1
    assert await asyncio.gather(*(source.kept.newer() for _ in range(20))) == [2] * 20
    assert source.loads == 2


async def test_a_source_that_hangs_is_not_waited_for_longer_than_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loresmith.api.refreshed._PATIENCE_SECONDS", 0.01)
    source = Source()
    source.open.clear()
    with pytest.raises(AwayError):
        await source.kept.get()
    await source.kept.close()
