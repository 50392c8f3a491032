"""Record when jobs reached their checkpoints, on the embedded model or a scripted one.

    python -m benchmarks.progress.record --model fake --jobs 60 --side-by-side 30
    python -m benchmarks.progress.record --model embedded --jobs 50 --worlds 10

One file for each model and kind, a line a job, written when the job ends. A run that was stopped goes on after the
jobs that are in the files, so that hours of recording may be spread over days.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import structlog

from benchmarks.items.quality import Direct
from benchmarks.progress.pace import Pace
from benchmarks.progress.recorded import DATA, Recorded, read_file
from loresmith.bootstrap import build_registry, classify
from loresmith.db import Database, Worlds, locate
from loresmith.db.schema import migrate
from loresmith.embedded.model import MODEL_NAME, TEMPERATURE, EmbeddedModel
from loresmith.jobs.testing import try_job
from loresmith.llm.port import GenerationEvent, GenerationRequest, LoreModel, ModelCapabilities
from loresmith.llm_service.provider import find_provider

KINDS = ("generate_characters", "generate_factions", "generate_settings", "generate_events", "generate_relics")
WORLD = "create_world"
THEMES = ("fantasy", "norse-mythology", "cyberpunk", "post-apocalyptic", "steampunk")
_SILENCE_SECONDS = 2.5

ModelOf = Callable[[str, int], LoreModel]


@dataclass
class Listening:
    """Passes the events of a model on and notes when none came: a bar that stands then is no fault of the estimate."""

    llm: LoreModel
    began: float = field(default_factory=time.monotonic)
    heard: list[float] = field(default_factory=list[float])

    async def generate(
        self, request: GenerationRequest, *, timeout_seconds: float
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Stream what the model does."""
        async with aclosing(self.llm.generate(request, timeout_seconds=timeout_seconds)) as events:
            async for event in events:
                self.heard.append(time.monotonic() - self.began)
                yield event

    async def capabilities(self) -> ModelCapabilities:
        """Return what the model can do."""
        return await self.llm.capabilities()

    def silences(self, total: float) -> list[int]:
        """Return start and length, in ms, of each stretch without a sign of life."""
        moments = [0.0, *self.heard, total]
        gaps = [(a, b - a) for a, b in pairwise(moments) if b - a > _SILENCE_SECONDS]
        return [int(part * 1000) for gap in gaps for part in gap]


async def main() -> None:
    """Record what is missing of each kind."""
    options = _options()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    async with _worlds() as worlds, _model(options) as model_of:
        room = asyncio.Semaphore(options.side_by_side)
        await asyncio.gather(*(_record(options, kind, room, model_of, worlds) for kind in options.kinds))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", choices=("fake", "embedded"), default="fake")
    parser.add_argument("--jobs", type=int, default=60, help="of each generate kind")
    parser.add_argument("--worlds", type=int, default=60)
    parser.add_argument("--kinds", nargs="+", default=[*KINDS, WORLD])
    parser.add_argument("--side-by-side", type=int, default=1)
    parser.add_argument("--nice", type=int, default=15)
    parser.add_argument("--seed", default="", help="of the scripted model: another one, other jobs")
    parser.add_argument("--data", type=Path, default=DATA)
    return parser.parse_args()


async def _record(
    options: argparse.Namespace, kind: str, room: asyncio.Semaphore, model_of: ModelOf, worlds: Worlds
) -> None:
    """Record one kind; jobs that run side by side are numbered by their start."""
    path: Path = options.data / options.model / f"{kind}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {one.number for one in read_file(path)}
    jobs = options.worlds if kind == WORLD else options.jobs

    async def run(number: int) -> None:
        async with room:
            recorded = await _job(kind, number, model_of(kind, number), worlds)
            if recorded is not None:
                with path.open("a") as file:
                    file.write(recorded.line() + "\n")
                print(f"{kind} {number + 1}/{jobs}: {recorded.seconds:.1f} s", flush=True)

    await asyncio.gather(*(run(number) for number in range(jobs) if number not in done))


async def _job(kind: str, number: int, llm: LoreModel, worlds: Worlds) -> Recorded | None:
    payload: dict[str, Any] = {"theme": THEMES[number % len(THEMES)]}
    payload |= {"user_id": "record"} if kind == WORLD else {"count": 3}
    listening, at = Listening(llm), time.time()
    resources = {LoreModel: listening, Worlds: worlds}
    trial = await try_job(build_registry().get(kind), payload, resources=resources, classify=classify)
    if trial.error is not None:
        print(f"{kind} {number + 1} failed and is left out: {trial.error.message}", flush=True)
        return None
    total = time.monotonic() - listening.began
    return Recorded(number, round(at), int(total * 1000), trial.course, listening.silences(total))


@asynccontextmanager
async def _worlds() -> AsyncGenerator[Worlds]:
    with tempfile.TemporaryDirectory() as folder:
        location = locate(None, data_dir=Path(folder))
        await migrate(location)
        database = Database(location)
        yield Worlds(database)
        await database.close()


@asynccontextmanager
async def _model(options: argparse.Namespace) -> AsyncGenerator[ModelOf]:
    if options.model == "fake":
        yield lambda kind, number: _paced(kind, number, options)
        return
    with tempfile.TemporaryDirectory() as folder:
        model = EmbeddedModel(Path(folder) / "model.log", nice=options.nice)
        await model.start()
        provider = find_provider(
            "openai-compatible:embedded",
            base_url=lambda: model.base_url,
            api_key=model.api_key,
            label=MODEL_NAME,
            concurrent_calls=model.slots,
            temperature=TEMPERATURE,
            extra_body={**model.sampling},
        )
        guided = replace(provider, guided=model.guided)
        yield lambda _, __: Direct(guided)
        await model.stop()


def _paced(kind: str, number: int, options: argparse.Namespace) -> Pace:
    """Give each kind a pace of its own: half a minute a generate job, two to three minutes a world."""
    seconds = 26.0 if kind == WORLD else 12.0 + 2 * KINDS.index(kind)
    return Pace(seconds, number, options.worlds if kind == WORLD else options.jobs, f"{options.seed}{kind} {number}")


if __name__ == "__main__":
    asyncio.run(main())
