"""Write items with the embedded model and its guides; print each, judge each, time each.

    python benchmarks/items/quality.py --type generate_relics --runs 20 --theme fantasy

A run is one job of three items. A run counts when every item came out fit; an answer that the guide rejects is counted
as a rewrite. The items are printed to be read: no check replaces that.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from loresmith.bootstrap import build_registry, classify
from loresmith.cli.show import item_lines
from loresmith.embedded.model import TEMPERATURE, EmbeddedModel
from loresmith.jobs import JobType
from loresmith.jobs.testing import try_job
from loresmith.llm.port import GenerationEvent, GenerationRequest, LoreModel, ModelCapabilities
from loresmith.llm.wire import Queued
from loresmith.llm_service.call import Call
from loresmith.llm_service.provider import Provider, find_provider
from loresmith.llm_service.route import Route


@dataclass
class Direct:
    """The port without gRPC: the lore service's own generation, in this process."""

    provider: Provider
    calls: int = 0

    async def generate(
        self, request: GenerationRequest, *, timeout_seconds: float
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Stream what the model does; the time limit is the benchmark's own."""
        self.calls += 1
        async with aclosing(Call(Route([self.provider]), request).events()) as events:
            async for event in events:
                if not isinstance(event, Queued):
                    yield event

    async def capabilities(self) -> ModelCapabilities:
        """Return what the provider can do, as the lore service describes it."""
        provider = self.provider
        return ModelCapabilities(provider.label, provider.streams, provider.concurrent_calls, guided=provider.guided)


@dataclass(frozen=True, slots=True)
class Finished:
    """One run."""

    seconds: float
    calls: int
    output_tokens: int
    fit: bool


async def main() -> None:
    """Run the jobs one after another and print each and a summary of all."""
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
        provider = replace(provider, guided=model.guided)
        runs = [await _run(provider, options, number) for number in range(options.runs)]
        await model.stop()
    _summary(runs, rejected)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--type", default="generate_characters")
    parser.add_argument("--payload", default="{}", help="JSON, added to theme and count")
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
    if event["event"] in ("item_rejected", "part_rejected"):
        fields = ", ".join(event["fields"]) or "the answer"
        rejected.append(fields)
        print(f"  rewrite: {fields}")
    raise structlog.DropEvent


async def _run(provider: Provider, options: argparse.Namespace, number: int) -> Finished:
    kind: JobType = build_registry().get(options.type)
    payload = {"theme": options.theme, "count": options.count, **json.loads(options.payload)}
    model = Direct(provider)
    started = time.monotonic()
    print(f"\n=== {options.type}, {options.theme}, run {number + 1}")
    job_id = f"{options.seed} {number}"
    trial = await try_job(kind, payload, resources={LoreModel: model}, job_id=job_id, classify=classify)
    seconds = time.monotonic() - started
    if trial.error is not None:
        print(f"  FAILED {trial.error.code}: {trial.error.message}")
    assert trial.progress == sorted(trial.progress), trial.progress
    items: list[Any] = trial.result or []
    for item in items:
        print("\n".join(item_lines(item)))
    tokens = trial.usage.output_tokens if trial.usage else 0
    print(f"  [{seconds:.1f} s, {model.calls} calls, {tokens / seconds:.0f} tokens/s]", flush=True)
    return Finished(seconds, model.calls, tokens, bool(items))


def _summary(runs: list[Finished], rejected: list[str]) -> None:
    seconds = [each.seconds for each in runs]
    print(
        f"\n{sum(each.fit for each in runs)} of {len(runs)} runs fit; seconds: median "
        f"{statistics.median(seconds):.1f}, slowest {max(seconds):.1f}; {sum(each.calls for each in runs)} calls, "
        f"{len(rejected)} rewrites; {sum(each.output_tokens for each in runs) / sum(seconds):.0f} tokens/s"
    )


if __name__ == "__main__":
    asyncio.run(main())
