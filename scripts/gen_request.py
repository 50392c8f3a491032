"""Writes what a strong model is asked for one character into README.md and docs/job-types.md (`make gen`)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import Any, cast

from loresmith.job_types.generate_characters import generate_characters
from loresmith.jobs.testing import try_job
from loresmith.llm.errors import GenerationError
from loresmith.llm.fake import ScriptedLoreModel
from loresmith.llm.port import GenerationRequest, LoreModel
from scripts.page import ROOT, between, refresh

TARGETS = (ROOT / "README.md", ROOT / "docs" / "job-types.md")
WIDTH = 100
BEGIN, END = "<!-- request for a character: written by `make gen` -->\n", "<!-- end of request -->\n"


def main() -> int:
    """Writes the request, or compares it with what is there."""
    text = asyncio.run(render_request())

    def with_request(page: str) -> str:
        return between(BEGIN, text, END, text=page)

    return max(refresh(page, with_request, purpose=__doc__, drift="the request has changed") for page in TARGETS)


async def render_request() -> str:
    """Return the request as Markdown: the messages, then the schema of the answer."""
    model = ScriptedLoreModel(lambda _: GenerationError("provider_auth", "only the request is of interest"))
    with contextlib.suppress(GenerationError):
        payload = {"theme": "whalers of the ice sea", "count": 1}
        await try_job(generate_characters, payload, resources={LoreModel: model})
    (request,) = model.requests
    return f"\n```text\n{_render_messages(request)}\n```\n\n```json\n{render_json(request.output_schema)}\n```\n"


def _render_messages(request: GenerationRequest) -> str:
    return f"system: {request.instructions}\n\nuser: {request.prompt}"


def render_json(value: Any, indent: str = "") -> str:
    """Return JSON that puts a value on one line where it fits into 100 characters."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= WIDTH or not isinstance(value, dict):
        return line
    inner = f"{indent}  "
    pairs = cast("dict[str, Any]", value).items()
    members = [f"{inner}{json.dumps(name)}: {render_json(each, inner)}" for name, each in pairs]
    return "{\n" + ",\n".join(members) + f"\n{indent}}}"


if __name__ == "__main__":
    sys.exit(main())
