"""What counts as flat: noise and single peaks do, a slow leak under noise does not."""

from __future__ import annotations

import random

import pytest

from tests.soak.flat import Bound, judge, trend_of
from tests.soak.samples import family_of

MEMORY = Bound(0.10, 5.0)
TIMES = [10.0 * number for number in range(60)]


def series(growth_an_hour: float, *, noise: float, peak: float = 0.0) -> list[float]:
    pick = random.Random(1)
    values = [200.0 + growth_an_hour * at / 3600 + pick.uniform(-noise, noise) for at in TIMES]
    values[45] += peak
    return values


@pytest.mark.parametrize(("noise", "peak"), [(0.0, 0.0), (1.5, 0.0), (0.5, 80.0)])
def test_noise_and_a_peak_are_flat(noise: float, peak: float) -> None:
    assert judge("rss", TIMES, series(0.0, noise=noise, peak=peak), bound=MEMORY, ceiling=None).is_flat


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_leak_of_60_mb_an_hour_is_seen_in_ten_minutes(noise: float) -> None:
    found = judge("rss", TIMES, series(60.0, noise=noise), bound=MEMORY, ceiling=None)
    assert not found.is_flat
    assert found.growth == pytest.approx(60.0, abs=25.0)


def test_growth_in_the_first_half_is_warming_up() -> None:
    values = [min(200.0, 100.0 + at) for at in TIMES]
    assert judge("rss", TIMES, values, bound=MEMORY, ceiling=None).is_flat


def test_a_ceiling_is_about_every_figure() -> None:
    assert judge("ended", TIMES, [min(at, 500.0) for at in TIMES], bound=MEMORY, ceiling=500.0).is_flat
    assert not judge("ended", TIMES, [600.0, *TIMES[1:]], bound=MEMORY, ceiling=595.0).is_flat


def test_the_slope_is_that_of_sen() -> None:
    """The example of Sen (1968)."""
    trend = trend_of([1.0, 2.0, 3.0, 4.0, 10.0, 12.0, 18.0], [9.0, 15.0, 19.0, 20.0, 45.0, 55.0, 78.0])
    assert (trend.low, trend.slope, trend.high) == pytest.approx((3.75, 4.0, 4.18), abs=0.01)


@pytest.mark.parametrize(
    ("key", "family"),
    [
        ("job:61b88422-41b0-48cb-9e6f-cb369cd84dfe", "job:…"),
        ("{job:61b88422-41b0-48cb-9e6f-cb369cd84dfe}:items", "{job:…}:items"),
        ("profile:generate_relics:fake:2", "profile:generate_relics:fake:2"),
    ],
)
def test_keys_are_counted_by_family(key: str, family: str) -> None:
    assert family_of(key) == family
