"""Answers as models break them: repaired once, or refused with the field named."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from loresmith.bootstrap import classify
from loresmith.job_types.generate_characters import generate_characters
from loresmith.jobs.testing import Trial, try_job
from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.port import LoreModel
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.server import LoreServer
from tests.providers.servers import PROVIDERS, ProviderServer

STATS = {
    "health": 96,
    "stress": 12,
    **dict.fromkeys(("knowledge", "empathy", "resilience", "creativity", "influence", "perception"), 12),
}
DETAILS: dict[str, Any] = {
    "role": "Harpoon smith",
    "appearance": "Soot fills the lines of her face.",
    "backstory": "A whale cow pushed her onto the ice.",
    "traits": ["grateful", "stubborn", "calm"],
    "skills": ["forging iron", "spotting whales", "mending boats"],
    "stats": STATS,
}
GOOD: dict[str, Any] = {"name": "Aputi Kall", "description": "A smith of the ice sea.", "details": DETAILS}
TEXT = json.dumps(GOOD)


def changed(**details: Any) -> str:
    return json.dumps({**GOOD, "details": {**DETAILS, **details}})


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with PROVIDERS["llama.cpp"]() as running:
        yield running


async def run(server: ProviderServer, answers: list[str], count: int = 1) -> Trial:
    """One job whose provider gives these answers, the last one again and again."""
    texts = iter(answers)
    last = answers[-1]

    def write(_schema: dict[str, Any], _body: dict[str, Any], _number: int) -> str:
        return next(texts, last)

    server.write = write
    url = server.environment["LORESMITH_MODEL_BASE_URL"]
    async with AsyncExitStack() as stack:
        lore = LoreServer(find_provider(server.model, base_url=url, api_key="test-key"))
        port = await lore.start("127.0.0.1:0")
        stack.push_async_callback(lore.stop)
        model = GrpcLoreModel(f"127.0.0.1:{port}")
        stack.push_async_callback(model.close)
        payload = {"theme": "whalers", "count": count}
        return await try_job(generate_characters, payload, resources={LoreModel: model}, classify=classify)


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{TEXT}\n```",
        f"Here it is:\n\n{TEXT}\n\nI hope you like it.",
        json.dumps({**GOOD, "type": "character", "mood": "wet"}),
        json.dumps(GOOD, indent=4, ensure_ascii=True),
    ],
    ids=["fenced", "prose around it", "members of its own", "indented"],
)
async def test_a_good_object_is_found_at_the_first_request(server: ProviderServer, text: str) -> None:
    trial = await run(server, [text])

    assert trial.error is None
    assert trial.result[0]["name"] == "Aputi Kall"
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (TEXT[: len(TEXT) // 2], "JSON"),
        (changed(stats={**STATS, "health": "96"}), "/details/stats/health"),
        (changed(traits=["grateful"]), "/details/traits"),
        (json.dumps({"name": "Aputi Kall", "description": "A smith."}), "details"),
        ("", "JSON"),
        ("I cannot do that.", "JSON"),
        (json.dumps({**GOOD, "name": " "}), "name"),
        (json.dumps({**GOOD, "name": "A" * 81}), "name"),
        (changed(backstory="x" * 2_001), "details.backstory"),
    ],
    ids=[
        "cut",
        "wrong type",
        "too few",
        "missing",
        "empty",
        "refusal in words",
        "blank name",
        "long name",
        "long text",
    ],
)
async def test_a_broken_object_is_repaired_once_or_its_field_is_named(
    server: ProviderServer, broken: str, problem: str
) -> None:
    repaired = await run(server, [broken, TEXT])

    assert repaired.error is None
    assert len(server.bodies) == 2
    assert problem in json.dumps(server.bodies[1])

    failed = await run(server, [broken])

    assert failed.error is not None
    assert (failed.error.code, failed.error.retryable) == ("output_invalid", False)
    assert problem.lower() in failed.error.message.lower()
    assert len(server.bodies) - 2 <= 4


async def test_the_same_name_twice_is_repaired_once(server: ProviderServer) -> None:
    plan = json.dumps({"concepts": [{"name": name, "idea": "A smith."} for name in ("Aputi Kall", "Nanuq Kall")]})
    other = json.dumps({**GOOD, "name": "Nanuq Kall"})

    trial = await run(server, [plan, TEXT, TEXT, other], count=2)

    assert trial.error is None
    assert {item["name"] for item in trial.result} == {"Aputi Kall", "Nanuq Kall"}
    assert len(server.bodies) == 4
