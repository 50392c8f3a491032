"""What the path worker → gRPC → provider adds to calling the fake provider directly.

    python -m benchmarks.lore.overhead [--runs 15] [--seconds 3] [--tokens 200] [--calls 1]

One run measures both paths in turn, so that both see the same machine. The lore service is a
process of its own, as with `loresmith lore`; the medians over all runs are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import ModelRequest
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.port import GenerationRequest
from loresmith.llm_service.provider import Provider, find_provider
from loresmith.llm_service.server import LoreServer

CHARACTER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 30},
        "description": {"type": "string", "maxLength": 200},
        "role": {"type": "string", "maxLength": 40},
        "appearance": {"type": "string", "maxLength": 160},
        "backstory": {"type": "string", "maxLength": 240},
        "traits": {"type": "array", "items": {"type": "string"}, "minItems": 3, "maxItems": 3},
        "health": {"type": "integer", "minimum": 50, "maximum": 150},
    },
}
ORDER = GenerationRequest("You write lore.", "A knight.", CHARACTER)
SERVE = "--serve"


@dataclass(frozen=True, slots=True)
class Timing:
    """One call, in seconds."""

    first: float
    total: float


async def timed(events: AsyncIterator[object]) -> Timing:
    """Reads `events` to the end."""
    start = time.perf_counter()
    first: float | None = None
    async for _ in events:
        first = first or time.perf_counter() - start
    return Timing(first or 0.0, time.perf_counter() - start)


async def direct(provider: Provider) -> Timing:
    """The provider, called as the service calls it."""
    output = OutputObjectDefinition(json_schema=CHARACTER, name="item")
    parameters = ModelRequestParameters(output_mode="native", output_object=output)
    messages = [ModelRequest.user_text_prompt(ORDER.prompt, instructions=ORDER.instructions)]

    async def events() -> AsyncIterator[object]:
        async with model_request_stream(provider.current(), messages, model_request_parameters=parameters) as stream:
            async for event in stream:
                yield event

    return await timed(events())


async def through_the_service(model: GrpcLoreModel) -> Timing:
    """The whole path."""
    async with aclosing(model.generate(ORDER, timeout_seconds=120)) as events:
        return await timed(events)


async def compare(arguments: argparse.Namespace, port: int) -> None:
    """Measures both paths in turn and prints the medians."""
    provider = find_provider(fake_name(arguments))
    model = GrpcLoreModel(f"127.0.0.1:{port}")
    await through_the_service(model)
    plain: list[Timing] = []
    whole: list[Timing] = []
    for _ in range(arguments.runs):
        calls = range(arguments.calls)
        plain += await asyncio.gather(*(direct(provider) for _ in calls))
        whole += await asyncio.gather(*(through_the_service(model) for _ in calls))
    await model.close()
    report(plain, whole)


def report(plain: list[Timing], whole: list[Timing]) -> None:
    """Prints medians in milliseconds, and what the service adds."""
    parts: dict[str, Callable[[Timing], float]] = {
        "first token": lambda each: each.first,
        "total": lambda each: each.total,
    }
    print(f"{len(plain)} calls per path, medians in ms")
    for name, part in parts.items():
        before = statistics.median(map(part, plain)) * 1000
        after = statistics.median(map(part, whole)) * 1000
        added = after - before
        print(
            f"{name:12} direct {before:9.2f}   through the service {after:9.2f}"
            f"   added {added:7.2f} ({added / before:.2%})"
        )


def fake_name(arguments: argparse.Namespace) -> str:
    """The model that both paths use."""
    return f"fake?seconds={arguments.seconds}&tokens={arguments.tokens}&slots={arguments.calls}"


async def serve(arguments: argparse.Namespace) -> None:
    """Runs the service until its parent closes the pipe; prints the port."""
    server = LoreServer(find_provider(fake_name(arguments)))
    print("port", await server.start("127.0.0.1:0"), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()


def main() -> None:
    """Starts the service and compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--calls", type=int, default=1, help="calls at once, on each path")
    parser.add_argument(SERVE, action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve(arguments))
        return
    command = [sys.executable, "-m", "benchmarks.lore.overhead", *sys.argv[1:], SERVE]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe) as service:
        assert service.stdout is not None
        lines = (line.split() for line in service.stdout)
        port = next(int(words[1]) for words in lines if words[0] == "port")
        asyncio.run(compare(arguments, port))
        service.communicate()


if __name__ == "__main__":
    main()
