"""A short run of the loop with a fixed seed, and proof that its checks see what they are there for."""

from pathlib import Path

from tests.chaos.faults import KINDS, plan
from tests.chaos.loop import run


async def test_nothing_is_lost_doubled_or_made_again_while_things_break(short_tmp: Path) -> None:
    outcome = await run("short", 8, short_tmp)
    assert outcome.findings == [], outcome.histories
    assert len(outcome.evidence.accepted) > 10


def test_the_same_seed_gives_the_same_faults() -> None:
    assert plan("a", 50) == plan("a", 80)[:50]
    assert plan("a", 50) != plan("b", 50)
    assert {fault.kind for fault in plan("a", 1000)} == set(KINDS)
