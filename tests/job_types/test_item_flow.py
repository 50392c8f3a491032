"""The flow of N items: concurrent, checkpointed, different, measured, and all or nothing at the end."""

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import BaseModel

from loresmith.llm.errors import GenerationError
from loresmith.llm.items import TRIES, ItemFlow, same_name
from loresmith.llm.port import GenerationRequest
from loresmith.lore import LorePiece
from tests.job_types.scripted import Answer, Notebook, ScriptedLore


class Color(BaseModel):
    color: str


class Relic(LorePiece[Color], frozen=True):
    type: str = "relic"


class RelicKind:
    """A kind of one field; the request's seed is 10 × index + attempt."""

    def request(self, index: int, attempt: int, avoid: Sequence[str]) -> GenerationRequest:
        return GenerationRequest("", f"avoid {', '.join(avoid)}", {"type": "object"}, seed=10 * index + attempt)

    def read(self, index: int, value: Any) -> Relic:
        return Relic(name=value["name"], description="an old thing", details=Color(color="red"))

    def restore(self, index: int, value: Any) -> Relic:
        return Relic.model_validate(value)


def relic(name: str) -> Answer:
    return {"name": name}


def flow(notebook: Notebook, lore: ScriptedLore, count: int = 3) -> ItemFlow[Relic]:
    return ItemFlow(notebook, lore, RelicKind(), count, "Generating relics...")


NAMES = {0: "Amber Crown", 10: "Bone Flute", 20: "Copper Eye"}


async def test_items_are_asked_for_at_once_and_checkpointed_as_they_come() -> None:
    notebook, lore = Notebook(), ScriptedLore(lambda asked: relic(NAMES[asked.seed or 0]))

    relics = await flow(notebook, lore).run()

    assert [each.name for each in relics] == list(NAMES.values())
    assert sorted(notebook.saved) == [0, 1, 2]
    assert notebook.calls == 3


async def test_what_is_checkpointed_is_not_asked_for_again() -> None:
    notebook = Notebook()
    notebook.items[1] = Relic(name="Old Bell", description="an old thing", details=Color(color="red")).model_dump()
    lore = ScriptedLore(lambda asked: relic(NAMES[asked.seed or 0]))

    relics = await flow(notebook, lore).run()

    assert [each.name for each in relics] == ["Amber Crown", "Old Bell", "Copper Eye"]
    assert sorted(notebook.saved) == [0, 2]
    assert len(lore.requests) == 2
    assert lore.requests[0].prompt == "avoid Old Bell"


async def test_a_name_that_is_taken_is_written_again_with_the_names_to_avoid() -> None:
    lore = ScriptedLore(lambda asked: relic("Copper Eye" if asked.seed in (0, 10) else "Bone Flute"))

    relics = await flow(Notebook(), lore, count=2).run()

    assert sorted(each.name for each in relics) == ["Bone Flute", "Copper Eye"]
    assert lore.requests[-1].prompt == "avoid Copper Eye"


async def test_an_unfit_item_is_written_again_a_few_times_then_fails() -> None:
    lore = ScriptedLore(lambda _: relic("x"))

    with pytest.raises(GenerationError, match=f"{TRIES} times") as caught:
        await flow(Notebook(), lore, count=1).run()

    assert caught.value.code == "output_invalid"
    assert len(lore.requests) == TRIES


async def test_output_that_the_service_could_not_repair_is_written_again_too() -> None:
    broken = GenerationError("output_invalid", "not JSON")
    lore = ScriptedLore(lambda asked: broken if asked.seed == 0 else relic("Amber Crown"))

    assert (await flow(Notebook(), lore, count=1).run())[0].name == "Amber Crown"


async def test_when_one_call_fails_the_others_are_cancelled_and_checkpoints_stay() -> None:
    refused = GenerationError("content_refused", "no")
    answers: dict[int, Answer] = {0: relic("Amber Crown"), 10: None}
    notebook = Notebook()

    def answer(asked: GenerationRequest) -> Answer:
        return answers[asked.seed or 0] if asked.seed in answers else refused

    lore = ScriptedLore(lambda asked: refused if notebook.saved and asked.seed == 21 else answer(asked))
    answers[20] = relic("Amber Copy")

    with pytest.raises(GenerationError) as caught:
        await flow(notebook, lore).run()

    assert caught.value is refused
    assert notebook.saved == [0]
    assert lore.cancelled == 1


async def test_a_lost_lease_goes_through_unwrapped() -> None:
    class Lost(BaseException):
        pass

    notebook = Notebook(lost=Lost())

    with pytest.raises(Lost):
        await flow(notebook, ScriptedLore(lambda asked: relic(NAMES[asked.seed or 0]))).run()


async def test_progress_never_falls_and_ends_at_one() -> None:
    lore = ScriptedLore(lambda asked: relic("x" if asked.seed == 0 else NAMES.get(asked.seed or 0, "Amber Crown")))
    notebook = Notebook()

    await flow(notebook, lore).run()

    fractions = [each for each in notebook.fractions if each is not None]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1


async def test_without_a_stream_progress_is_left_to_the_engine() -> None:
    notebook = Notebook()

    await flow(notebook, ScriptedLore(lambda asked: relic(NAMES[asked.seed or 0]), streams=False)).run()

    assert set(notebook.fractions) == {None}


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("Ana Reed", "ana reed", True),
        ("Nora Reed", "Tom REED", True),
        ("Al Bo", "Al Cy", False),
        ("Nora", "Norah", False),
    ],
)
def test_names_are_the_same_when_they_share_a_word_of_weight(name: str, other: str, same: bool) -> None:
    assert (same_name(name, [other]) == other) is same
