"""Every job type with every provider, as a job through the whole stack: taken at the first request, completed."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.providers.answers import answer_for
from tests.providers.servers import PROVIDERS
from tests.providers.whole_stack import ended, provider_of, stack

DATA: Final = Path(__file__).parents[1] / "data"
SNAPSHOTS: Final = Path(__file__).parent / "requests"
"""The bodies that each provider is sent. `UPDATE_SNAPSHOTS=1 pytest tests/providers` writes them."""

SETTING = {"name": "Mirevale", "description": "A drowned valley.", "type": "setting"}
PAYLOADS: Mapping[str, dict[str, Any]] = {
    "generate_characters": {"theme": "fantasy", "count": 2},
    "generate_factions": {"theme": "fantasy", "count": 2},
    "generate_settings": {"theme": "fantasy", "count": 2},
    "generate_events": {"theme": "fantasy", "count": 2, "selected_setting": SETTING},
    "generate_relics": {"theme": "fantasy", "count": 2, "selected_setting": SETTING},
    "create_world": {"theme": "fantasy", "user_id": 7},
}


def write_by_prompt(schema: dict[str, Any], body: dict[str, Any], number: int) -> str:
    """The same answer for the same request, in whatever order the requests come."""
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    return answer_for(schema, int.from_bytes(digest[:6]))


@pytest.mark.parametrize("name", PROVIDERS)
async def test_every_job_type_is_taken_at_the_first_request(
    name: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with PROVIDERS[name]() as server:
        server.write = write_by_prompt
        async with stack(provider_of(server, monkeypatch), redis_url, tmp_path) as manager:
            sent: dict[str, list[Any]] = {}
            for job_type, payload in PAYLOADS.items():
                before = len(server.bodies)
                job = await manager.create(job_type, payload)
                view = await ended(manager, job.id)
                assert view.status == "completed", (job_type, view)
                assert server.refused == []
                asked = server.bodies[before:]
                if job_type != "create_world":
                    assert len(asked) == payload["count"] + 1
                sent[job_type] = _distinct(asked)
    _compare(
        SNAPSHOTS / f"{name}.json", sent if name == "openai" else {"generate_characters": sent["generate_characters"]}
    )


def _distinct(bodies: list[dict[str, Any]]) -> list[Any]:
    """One body of each form, sorted: calls run side by side."""
    by_form: dict[str, str] = {}
    for text in sorted(json.dumps(body, ensure_ascii=False) for body in bodies):
        form = hashlib.sha256(json.dumps(_schemas(json.loads(text)), sort_keys=True).encode()).hexdigest()
        by_form.setdefault(form, text)
    return [json.loads(text) for text in sorted(by_form.values())]


def _schemas(body: dict[str, Any]) -> Any:
    return [body.get(name) for name in ("response_format", "text", "tools", "output_config")]


def _compare(path: Path, found: Any) -> None:
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path.name} is missing: UPDATE_SNAPSHOTS=1 writes it"
    assert path.read_text(encoding="utf-8") == text, (
        f"{path.name} differs: look at the difference, then UPDATE_SNAPSHOTS=1"
    )


STATS = {
    "health": 96,
    "stress": 12,
    **dict.fromkeys(("knowledge", "empathy", "resilience", "creativity", "influence", "perception"), 12),
}


async def test_360_good_characters_are_accepted_at_the_first_try(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [json.loads(line) for line in (DATA / "characters.jsonl").read_text(encoding="utf-8").splitlines()]
    left = iter(lines)

    def write(schema: dict[str, Any], body: dict[str, Any], number: int) -> str:
        if "concepts" in schema["properties"]:
            return answer_for(schema, number)
        line = next(left)
        details = {name: line[name] for name in ("role", "appearance", "backstory", "traits", "skills")}
        return json.dumps(
            {"name": line["name"], "description": line["description"], "details": {**details, "stats": STATS}}
        )

    async with PROVIDERS["llama.cpp"]() as server:
        server.write = write
        async with stack(provider_of(server, monkeypatch), redis_url, tmp_path) as manager:
            jobs = [
                await manager.create("generate_characters", {"theme": "any", "count": 10})
                for _ in range(len(lines) // 10)
            ]
            views = [await ended(manager, job.id) for job in jobs]

    assert {view.status for view in views} == {"completed"}
    assert len(server.bodies) == len(lines) + len(jobs)
    assert next(left, None) is None
