"""What an OpenAI-compatible provider does, and what the caller of the port learns of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.errors import GenerationError
from loresmith.llm.port import FieldsDone, GenerationEvent, Partial, Usage
from loresmith.llm_service.provider import find_provider
from tests.llm_service.conftest import Serve
from tests.llm_service.openai_server import (
    Answer,
    OpenAIServer,
    babbles,
    breaks_off,
    fails,
    keeps_the_connection_until_it_is_asked_again,
    refuses,
    says,
)
from tests.llm_service.orders import KNIGHT, VALID, collect, final_of, order


async def failure(model: GrpcLoreModel) -> GenerationError:
    with pytest.raises(GenerationError) as raised:
        await collect(model, order())
    return raised.value


async def test_fields_partials_the_object_and_the_usage_arrive(model: GrpcLoreModel, openai: OpenAIServer) -> None:
    openai.answers = [says(VALID)]
    events = await collect(model, order())
    counted = [event.fields_done for event in events if isinstance(event, FieldsDone)]
    assert list(dict.fromkeys(counted)) == [0, 1, 2, 3, 4]
    assert [event.json for event in events if isinstance(event, Partial)][1] == ('{"name":"Kael","traits":["stern"]}')
    assert final_of(events) == VALID
    assert events[-1] == Usage("knight-1", 11, 7, None)


async def test_the_request_carries_schema_limits_sampling_and_key(model: GrpcLoreModel, openai: OpenAIServer) -> None:
    openai.answers = [says(VALID)]
    await collect(model, order(seed=5, temperature=0.7, max_output_tokens=99, schema_name="knight"))
    sent = openai.exchanges[0].body
    assert sent["response_format"]["json_schema"]["schema"] == KNIGHT
    assert sent["response_format"]["json_schema"]["name"] == "knight"
    assert (sent["seed"], sent["temperature"], sent["min_p"]) == (5, 0.7, 0.05)
    assert sent.get("max_tokens", sent.get("max_completion_tokens")) == 99
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert openai.exchanges[0].headers["authorization"] == "Bearer secret-key"
    assert "job-1" not in str(sent)


async def test_a_decoder_gets_the_pattern_and_the_answer_is_judged_by_all_bounds(
    serve: Serve, openai: OpenAIServer
) -> None:
    name = {"type": "string", "pattern": "^K[a-z]*$", "maxLength": 4}
    schema = {**KNIGHT, "properties": {**KNIGHT["properties"], "name": name}}
    model = await serve(find_provider("openai-compatible:knight-1", base_url=openai.url))
    openai.answers = [says(VALID.replace("Kael", "Kaelan")), says(VALID)]
    assert final_of(await collect(model, replace(order(), output_schema=schema))) == VALID
    assert len(openai.exchanges) == 2
    sent = openai.exchanges[0].body["response_format"]["json_schema"]["schema"]["properties"]["name"]
    assert sent["pattern"] == name["pattern"]
    assert "maxLength" not in sent


@pytest.mark.parametrize(
    ("answer", "code", "retryable"),
    [
        (fails("429 Too Many Requests"), "provider_rate_limited", True),
        (
            fails("429 Too Many Requests", {"code": "insufficient_quota", "message": "pay"}),
            "provider_rate_limited",
            False,
        ),
        (fails("401 Unauthorized"), "provider_auth", False),
        (fails("403 Forbidden"), "provider_auth", False),
        (fails("404 Not Found"), "provider_unavailable", False),
        (fails("400 Bad Request"), "provider_unavailable", False),
        (fails("500 Internal Server Error"), "provider_unavailable", True),
        (fails("503 Service Unavailable"), "provider_unavailable", True),
        (
            fails("400 Bad Request", {"code": "context_length_exceeded", "message": "long"}),
            "context_too_long",
            False,
        ),
        (
            fails(
                "400 Bad Request",
                {
                    "code": 400,
                    "message": "the request exceeds the available context size, try increasing it",
                    "type": "exceed_context_size_error",
                },
            ),
            "context_too_long",
            False,
        ),
        (
            fails("400 Bad Request", {"code": "content_filter", "message": "no"}),
            "content_refused",
            False,
        ),
        (refuses, "content_refused", False),
        (says("", finish="content_filter"), "content_refused", False),
        (breaks_off, "provider_unavailable", True),
        (babbles, "provider_unavailable", True),
    ],
)
async def test_failures_are_told_apart(
    model: GrpcLoreModel, openai: OpenAIServer, answer: Answer, code: str, retryable: bool
) -> None:
    openai.answers = [answer]
    error = await failure(model)
    assert (error.code, error.retryable) == (code, retryable)
    assert "secret-key" not in error.message
    assert len(openai.exchanges) == 1, "retries belong to the engine"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry_After": "7"}, 7.0), ({"retry_after_ms": "250"}, 0.25), ({}, None)],
)
async def test_the_wish_of_the_provider_to_wait_is_passed_on(
    model: GrpcLoreModel, openai: OpenAIServer, headers: dict[str, Any], seconds: float | None
) -> None:
    openai.answers = [fails("429 Too Many Requests", **headers)]
    assert (await failure(model)).retry_after_seconds == seconds


async def test_invalid_output_is_repaired_once_with_the_error_told(model: GrpcLoreModel, openai: OpenAIServer) -> None:
    openai.answers = [says('{"name":"Kael","traits":["stern","kind"],"health":900}'), says(VALID)]
    events = await collect(model, order())
    assert final_of(events) == VALID
    first, second = (exchange.body["messages"] for exchange in openai.exchanges)
    assert second[: len(first)] == first
    assert "900 is greater than the maximum of 150" in second[-1]["content"]
    assert events[-1] == Usage("knight-1", 22, 14, None)


async def test_fields_never_go_back_in_a_repair(model: GrpcLoreModel, openai: OpenAIServer) -> None:
    openai.answers = [says('{"name":"Kael","traits":["stern","kind"],"health":9}'), says(VALID)]
    events = await collect(model, order())
    done = [event.fields_done for event in events if isinstance(event, FieldsDone)]
    assert done == sorted(done)


@pytest.mark.parametrize("text", ['{"name":"Ka', "no object at all", '{"name":"Kael"}', "[1]"])
async def test_output_that_stays_invalid_is_an_error_with_its_cost(
    model: GrpcLoreModel, openai: OpenAIServer, text: str
) -> None:
    openai.answers = [says(text)]
    events: list[GenerationEvent] = []
    with pytest.raises(GenerationError) as raised:
        await collect(model, order(), into=events)
    assert (raised.value.code, raised.value.retryable) == ("output_invalid", False)
    assert len(openai.exchanges) == 2
    assert events[-1] == Usage("knight-1", 22, 14, None)


async def test_a_code_fence_around_the_object_is_no_reason_to_repair(
    model: GrpcLoreModel, openai: OpenAIServer
) -> None:
    openai.answers = [says(f"Here it is:\n```json\n{VALID}\n```")]
    assert final_of(await collect(model, order())) == VALID


async def test_a_provider_that_is_away_is_unavailable(model: GrpcLoreModel, openai: OpenAIServer) -> None:
    await openai.stop()
    error = await failure(model)
    assert (error.code, error.retryable) == ("provider_unavailable", True)
    assert "no connection" in error.message


async def test_a_server_that_moves_is_followed(serve: Serve, openai: OpenAIServer) -> None:
    openai.answers = [says(VALID)]
    urls: list[str | None] = [None, openai.url]
    model = await serve(find_provider("openai-compatible", base_url=lambda: urls.pop(0)))
    assert "not running" in (await failure(model)).message
    assert final_of(await collect(model, order())) == VALID


async def test_a_server_that_closes_an_idle_connection_just_when_it_is_asked_costs_no_call(
    model: GrpcLoreModel, openai: OpenAIServer
) -> None:
    openai.answers = [keeps_the_connection_until_it_is_asked_again(VALID)]
    for _ in range(3):
        assert final_of(await collect(model, order())) == VALID


async def test_a_known_model_has_a_price(serve: Serve, openai: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_BASE_URL", openai.url)
    openai.answers = [says(VALID)]
    model = await serve(find_provider("openai-chat:gpt-5-mini"))
    usage = (await collect(model, order()))[-1]
    assert isinstance(usage, Usage)
    assert usage.model == "gpt-5-mini"
    assert usage.cost_usd == pytest.approx(11 * 0.25e-6 + 7 * 2e-6)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("openai-compatible", "needs the base URL"),
        ("nonsense", "'nonsense' cannot be used"),
        ("openai:gpt-5-mini", "OPENAI_API_KEY"),
    ],
)
def test_a_wrong_name_is_named(name: str, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ValueError, match=complaint):
        find_provider(name)
