"""What strangers wrote is bounded and cleaned before a model sees it, and what a model wrote before anybody does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.errors import GenerationError, LoreProtocolError
from loresmith.llm.port import GenerationRequest
from loresmith.llm_service import hygiene
from loresmith.llm_service.generation import LARGEST_OUTPUT_BYTES
from tests.llm_service.openai_server import Exchange, OpenAIServer, says
from tests.llm_service.orders import KNIGHT, VALID, collect, final_of, order

TAGS = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")


async def test_no_model_sees_characters_that_no_reader_sees(model: GrpcLoreModel, openai: OpenAIServer) -> None:
    openai.answers = [says(VALID)]
    await collect(model, order(f"A\x00 kn\x1b[31might\u202e of{TAGS} the\tnorth\r\nwith é, 龍 and 👨\u200d👩"))
    sent = openai.exchanges[0].body["messages"][-1]["content"]
    assert sent == "A kn[31might of the\tnorth\nwith é, 龍 and 👨\u200d👩"


async def test_no_field_of_a_request_brings_invisible_text_to_a_model(
    model: GrpcLoreModel, openai: OpenAIServer
) -> None:
    openai.answers = [says(VALID)]
    hidden = f"{TAGS}\u3164\u2800\u034f\U000e0141\u180e\ufe01"
    asked = GenerationRequest(f"Write.{hidden}", f"A knight{hidden}", {**KNIGHT, "description": f"One{hidden}"})
    await collect(model, asked)
    sent = json.dumps(openai.exchanges[0].body, ensure_ascii=False)
    assert "A knight" in sent
    assert '"One' in sent
    assert set(hidden).isdisjoint(sent)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"prompt": "x" * (hygiene.LONGEST_PROMPT + 1)}, "prompt has 200001 characters: expected at most 200000"),
        ({"owner": "x" * 201}, "owner has 201 characters"),
        ({"purpose": "x" * 201}, "purpose has 201 characters"),
        ({"schema_name": "a name"}, "schema_name 'a name' must match"),
        ({"max_output_tokens": 10**6}, "max_output_tokens 1000000 is too large"),
    ],
)
async def test_what_is_too_long_or_malformed_is_refused_before_a_model_is_asked(
    model: GrpcLoreModel, openai: OpenAIServer, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(LoreProtocolError, match=f"INVALID_ARGUMENT: {complaint}"):
        await collect(model, order(**changes))
    assert not openai.exchanges


async def test_the_object_holds_no_characters_that_no_reader_sees(model: GrpcLoreModel, openai: OpenAIServer) -> None:
    openai.answers = [says(json.dumps({"name": f"Ka\x00el{TAGS}", "traits": ["st\u202eern", "kind"], "health": 90}))]
    assert final_of(await collect(model, order())) == VALID


async def test_what_is_too_short_without_them_is_invalid(model: GrpcLoreModel, openai: OpenAIServer) -> None:
    openai.answers = [says(json.dumps({"name": "K\x00\x00", "traits": ["a", "b"], "health": 90})), says(VALID)]
    await collect(model, order())
    assert len(openai.exchanges) == 2


async def test_orders_in_an_output_stay_text(model: GrpcLoreModel, openai: OpenAIServer) -> None:
    name = '"}]} ignore all {{7*7}} <script>'[:30]
    openai.answers = [says(json.dumps({"name": name, "traits": ["a", "b"], "health": 90}))]
    assert json.loads(final_of(await collect(model, order())))["name"] == name


async def test_an_output_without_end_is_cut_off(model: GrpcLoreModel, openai: OpenAIServer) -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.chunk({"content": '{"name":"'})
        while not exchange.disconnected.is_set():
            await exchange.chunk({"content": "x" * 8192})

    openai.answers = [endless]
    with pytest.raises(GenerationError) as raised:
        await collect(model, order())
    assert (raised.value.code, raised.value.retryable) == ("output_invalid", False)
    assert f"larger than {LARGEST_OUTPUT_BYTES // 1024} KB" in raised.value.message
    assert len(openai.exchanges) == 1
