"""Write items with the embedded model through the item flow; print each, judge each, time each.

    python benchmarks/items/quality.py --type generate_relics --runs 20 --theme fantasy

A run is one job of three items. A run counts when every item came out fit; what the checks of the
job type refused is counted as a rewrite. The items are printed to be read: no check replaces that.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import structlog
from pydantic import BaseModel

from loresmith.bootstrap import build_registry
from loresmith.cli.show import item_lines
from loresmith.embedded.model import TEMPERATURE, EmbeddedModel, decoding_schema
from loresmith.jobs import JobType
from loresmith.llm.errors import GenerationError
from loresmith.llm.port import GenerationEvent, GenerationRequest, LoreModel, ModelCapabilities
from loresmith.llm.wire import Queued
from loresmith.llm_service.call import Call
from loresmith.llm_service.provider import Provider, find_provider
from loresmith.llm_service.route import Route

Resource = TypeVar("Resource")


@dataclass
class Direct:
    """The port without gRPC: the lore service's own generation, in this process."""

    provider: Provider

    async def generate(
        self, request: GenerationRequest, *, timeout_seconds: float
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Stream what the model does; the time limit is the benchmark's own."""
        schema = decoding_schema(request.output_schema)
        async with aclosing(Call(Route([self.provider]), replace(request, output_schema=schema)).events()) as events:
            async for event in events:
                if not isinstance(event, Queued):
                    yield event

    async def capabilities(self) -> ModelCapabilities:
        """Tell what the provider can do."""
        return ModelCapabilities(self.provider.label, self.provider.streams, self.provider.concurrent_calls)


@dataclass
class Sheet:
    """Takes the part of the job's context and counts what happens."""

    job_id: str
    payload: BaseModel
    llm: LoreModel
    owner_digest: str = ""
    items: Mapping[int, Any] = field(default_factory=dict[int, Any])
    calls: int = 0
    output_tokens: int = 0
    fraction: float = 0.0

    async def save_item(self, index: int, value: BaseModel) -> None:
        """Forget it: the flow keeps its own."""

    def report(self, fraction: float | None = None, message: str | None = None) -> None:
        """Check that progress never falls."""
        assert fraction is not None
        assert fraction >= self.fraction, (fraction, self.fraction)
        self.fraction = fraction

    async def compare(self, model: str, count: int) -> None:
        """Compare with nothing."""

    def reached(self, part: int, mark: int) -> None:
        """Forget it: what a run takes in all is what counts here."""

    def finalizing(self, message: str) -> None:
        """Check that everything was reported."""
        assert self.fraction == 1.0

    def resource(self, kind: type[Resource]) -> Resource:
        """Return the model."""
        assert isinstance(self.llm, kind)
        return self.llm

    def add_usage(
        self,
        *,
        model: str,
        input_tokens: int,
        output_tokens: int,
        cost_usd: float | None = None,
        wasted: bool = False,
    ) -> None:
        """Count a call."""
        self.calls += 1
        self.output_tokens += output_tokens

    def in_flight(self, call: object, input_tokens: int, output_tokens: int, cost_usd: float | None = None) -> None:
        """Forget it: no worker of this benchmark dies."""

    def remaining_seconds(self) -> float:
        """Leave time enough."""
        return 600.0


async def main() -> None:
    """Run the jobs one after another and print the sheet of each and of all."""
    options = _options()
    rejected: list[str] = []
    structlog.configure(processors=[lambda _, __, event: _note(event, rejected)])
    with tempfile.TemporaryDirectory() as folder:
        model = EmbeddedModel(Path(folder) / "model.log", threads=options.threads, nice=options.nice)
        await model.start()
        provider = find_provider(
            "openai-compatible:embedded",
            base_url=lambda: model.base_url,
            api_key=model.api_key,
            concurrent_calls=model.slots,
            temperature=options.temperature,
            extra_body={**model.sampling, **json.loads(options.sampling)},
        )
        sheets = [await _run(provider, options, number) for number in range(options.runs)]
        await model.stop()
    _summary(sheets, rejected)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--type", default="generate_characters")
    parser.add_argument("--payload", default="{}", help="JSON, beside theme and count")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--theme", default="fantasy")
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--seed", default="quality")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--sampling", default="{}", help="JSON, over the product's own")
    parser.add_argument("--nice", type=int, default=5)
    parser.add_argument("--temperature", type=float, default=TEMPERATURE)
    return parser.parse_args()


def _note(event: Any, rejected: list[str]) -> str:
    if problem := event.get("problem"):
        rejected.append(problem)
        print(f"  rewrite: {problem}")
    raise structlog.DropEvent


async def _run(provider: Provider, options: argparse.Namespace, number: int) -> tuple[Sheet, float, bool]:
    kind: JobType = build_registry().get(options.type)
    payload = kind.validate({"theme": options.theme, "count": options.count, **json.loads(options.payload)})
    sheet = Sheet(f"{options.seed} {number}", payload, Direct(provider))
    started = time.monotonic()
    print(f"\n=== {options.type}, {options.theme}, run {number + 1}")
    try:
        items: list[Any] = await kind.handler(cast("Any", sheet))
    except GenerationError as error:
        print(f"  FAILED {error.code}: {error}")
        items = []
    seconds = time.monotonic() - started
    for item in kind.result.dump_python(items, mode="json"):
        print("\n".join(item_lines(item)))
    print(f"  [{seconds:.1f} s, {sheet.calls} calls, {sheet.output_tokens / seconds:.0f} tokens/s]", flush=True)
    return sheet, seconds, bool(items)


def _summary(runs: list[tuple[Sheet, float, bool]], rejected: list[str]) -> None:
    seconds = [each for _, each, _ in runs]
    calls = sum(sheet.calls for sheet, _, _ in runs)
    tokens = sum(sheet.output_tokens for sheet, _, _ in runs)
    print(
        f"\n{sum(fine for *_, fine in runs)} of {len(runs)} runs fit; seconds: median "
        f"{statistics.median(seconds):.1f}, slowest {max(seconds):.1f}; {calls} calls, "
        f"{len(rejected)} rewrites; {tokens / sum(seconds):.0f} tokens/s"
    )


if __name__ == "__main__":
    asyncio.run(main())
