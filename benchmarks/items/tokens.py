"""Print what a job of three items sends to a strong model, beside what the small model's forms send.

    python -m benchmarks.items.tokens

Until commit b7b9620 every model was sent the forms. Tokens are estimated as four characters each, for both alike:
the ratio is what counts. "Messages" are instructions and prompts; "schema" is the JSON schema of the answer, compact.
A rewrite of a refused item, which the forms cause, is not counted.
"""

import asyncio
import json
from collections.abc import Iterable
from random import Random
from typing import Any

from loresmith.bootstrap import build_registry
from loresmith.jobs.testing import try_job
from loresmith.llm.fake import ScriptedLoreModel
from loresmith.llm.port import GenerationRequest, LoreModel
from loresmith.llm_service.fake_text import Writer
from loresmith.lore import LorePrompt
from loresmith.small_model import find_item_guide

COUNT = 3
THEME = "whalers of the ice sea"
TYPES = ("characters", "factions", "settings", "events", "relics")


async def main() -> None:
    """Print one line for each job type."""
    print(f"input tokens an item, in a job of {COUNT}   forms: messages + schema   prompts: messages + schema   ratio")
    for plural in TYPES:
        forms, prompts = _measure(await ask_forms(plural)), _measure(await ask_prompts(plural))
        shown = "   ".join(f"{messages / COUNT:8.0f} + {schema / COUNT:4.0f}" for messages, schema in (forms, prompts))
        ratios = f"{prompts[0] / forms[0]:.2f} messages, {sum(prompts) / sum(forms):.2f} in all"
        print(f"generate_{plural:<12} {shown}   {ratios}")


async def ask_prompts(plural: str) -> list[GenerationRequest]:
    """Return the requests of a job, the plan included."""

    def script(request: GenerationRequest) -> dict[str, Any]:
        value: Any = Writer(request.output_schema, Random(request.prompt)).value(request.output_schema)
        return value

    model = ScriptedLoreModel(script)
    payload = {"theme": THEME, "count": COUNT}
    await try_job(build_registry().get(f"generate_{plural}"), payload, resources={LoreModel: model})
    return model.requests


async def ask_forms(plural: str) -> list[GenerationRequest]:
    """Return the first request of each item, as its guide writes it."""
    item: Any = build_registry().get(f"generate_{plural}").item
    guide = find_item_guide(item._type, LorePrompt("", theme=THEME), count=COUNT, seed="tokens")  # noqa: SLF001
    assert guide is not None
    return [guide.request(index, 0, []) for index in range(COUNT)]


def _measure(requests: Iterable[GenerationRequest]) -> tuple[float, float]:
    messages = schema = 0.0
    for request in requests:
        messages += len(request.instructions + request.prompt) / 4
        schema += len(json.dumps(request.output_schema, separators=(",", ":"), ensure_ascii=False)) / 4
    return messages, schema


if __name__ == "__main__":
    asyncio.run(main())
