"""The scripted model that is shipped with the port."""

from __future__ import annotations

import pytest

from loresmith.llm.errors import GenerationError
from loresmith.llm.fake import ScriptedLoreModel
from loresmith.llm.port import FieldsDone, Final, GenerationRequest, LoreModel, Partial, Usage

ORDER = GenerationRequest("i", "p", {"type": "object"})


async def test_it_answers_by_its_script() -> None:
    model = ScriptedLoreModel(lambda _: {"name": "Kael", "age": 3}, concurrent_calls=2)
    assert isinstance(model, LoreModel)
    assert [event async for event in model.generate(ORDER, timeout_seconds=1)] == [
        FieldsDone(1, 2, 1),
        Partial('{"name": "Kael"}'),
        FieldsDone(2, 2, 2),
        Partial('{"name": "Kael", "age": 3}'),
        Final('{"name": "Kael", "age": 3}'),
        Usage("scripted", 1, 2, None),
    ]
    assert model.requests == [ORDER]
    assert (await model.capabilities()).concurrent_calls == 2


async def test_it_raises_what_its_script_returns() -> None:
    model = ScriptedLoreModel(lambda _: GenerationError("content_refused", "no"))
    with pytest.raises(GenerationError, match="no"):
        await anext(model.generate(ORDER, timeout_seconds=1))
