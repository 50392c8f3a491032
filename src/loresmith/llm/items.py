"""The flow "N items of one kind": concurrent calls, each judged, checkpointed, different."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from loresmith.llm.answer import PART_DONE, Asker, Written, answer
from loresmith.llm.errors import GenerationError
from loresmith.llm.port import GenerationRequest, LoreModel
from loresmith.lore import LorePiece

TRIES: Final = 12
"""How often one item is written before the job fails as `output_invalid`."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

Piece = TypeVar("Piece", bound=LorePiece[Any])
Resource = TypeVar("Resource")
Piece_co = TypeVar("Piece_co", bound=LorePiece[Any], covariant=True)


class ItemContext(Asker, Protocol):
    """What the flow needs of the job it runs in."""

    @property
    def job_id(self) -> str: ...
    @property
    def items(self) -> Mapping[int, Any]: ...
    async def save_item(self, index: int, value: BaseModel) -> None: ...
    def report(self, fraction: float | None = None, message: str | None = None) -> None: ...
    def reached(self, part: int, mark: int) -> None: ...


class ItemJob(ItemContext, Protocol):
    """What a job whose result is its items has beside that."""

    def finalizing(self, message: str) -> None: ...
    async def compare(self, model: str, count: int) -> None: ...
    def resource(self, kind: type[Resource]) -> Resource: ...


class ItemKind(Protocol[Piece_co]):
    """What is particular to one kind of item; made for one job, so it knows theme and angles."""

    def request(self, index: int, attempt: int, avoid: Sequence[str]) -> GenerationRequest:
        """Ask for item `index`; `avoid` are names already taken."""
        ...

    def read(self, index: int, value: Any) -> Piece_co:
        """Make the item of what the model wrote. Raises ValueError that says what is wrong."""
        ...

    def restore(self, index: int, value: Any) -> Piece_co:
        """Make the item of its checkpoint."""
        ...


class JobKind(ItemKind[Piece_co], Protocol[Piece_co]):
    """A kind that says how it is called and how many items its job asks for."""

    @property
    def noun(self) -> str: ...
    @property
    def count(self) -> int: ...


@dataclass(slots=True)
class ItemFlow(Generic[Piece]):
    """One run of the flow; items that an earlier attempt checkpointed are never paid again."""

    context: ItemContext
    llm: LoreModel
    kind: ItemKind[Piece]
    count: int
    message: str
    share: float = 1.0
    """What the items are of all that the job generates."""
    _pieces: dict[int, Piece] = field(default_factory=dict[int, Piece])
    _shares: dict[int, float] = field(default_factory=dict[int, float])
    _measured: bool = True

    async def run(self, stages: Iterable[Iterable[int]] | None = None) -> list[Piece]:
        """Return the items in order. Raises GenerationError; what was checkpointed stays.

        The items of a stage are written side by side, by default all of them, one stage after another.
        """
        self._take_over()
        self._measured = (await self.llm.capabilities()).streams
        self._report()
        for stage in stages or [range(self.count)]:
            await run_together([self._writer(index) for index in stage if index not in self._pieces])
        return [self._pieces[index] for index in range(self.count)]

    def _take_over(self) -> None:
        for index, value in self.context.items.items():
            if index < self.count:
                self._pieces[index] = self.kind.restore(index, value)
                self._shares[index] = 1.0
                self.context.reached(index, PART_DONE)

    def _writer(self, index: int) -> Callable[[], Awaitable[None]]:
        return lambda: self._write(index)

    async def _write(self, index: int) -> None:
        problem = ""
        for attempt in range(TRIES):
            request = self.kind.request(index, attempt, self._names())
            try:
                piece = self._judge(index, await self._generate(index, request, again=attempt > 0))
            except (ValueError, GenerationError) as error:
                problem = _reason(error)
                _log.info("item_rejected", job_id=request.job_id, item=index, problem=problem)
                continue
            self._pieces[index] = piece
            self._shares[index] = 1.0
            self.context.reached(index, PART_DONE)
            await self.context.save_item(index, piece)
            self._report()
            return
        raise GenerationError(
            "output_invalid",
            f"the model wrote item {index + 1} {TRIES} times and it was never fit: {problem}",
        )

    def _judge(self, index: int, value: Any) -> Piece:
        piece = self.kind.read(index, value)
        if same := same_name(piece.name, self._names()):
            raise ValueError(f"the name {piece.name!r} is too close to {same!r}")
        return piece

    async def _generate(self, index: int, request: GenerationRequest, *, again: bool) -> Any:
        def told(written: Written) -> None:
            self._shares[index] = max(self._shares.get(index, 0.0), written.share)
            self.context.reached(index, written.mark)
            self._report()

        return await answer(self.llm, self.context, request, told, again=again)

    def _names(self) -> list[str]:
        return [piece.name for _, piece in sorted(self._pieces.items())]

    def _report(self) -> None:
        done = self.share * sum(self._shares.values()) / self.count
        self.context.report(done if self._measured else None, self.message)


async def write_items(job: ItemJob, kind: JobKind[Piece]) -> list[Piece]:
    """Write the items of a job and say what goes on in the words of their kind. Raises GenerationError."""
    llm = job.resource(LoreModel)
    await job.compare((await llm.capabilities()).model, kind.count)
    flow = ItemFlow(job, llm, kind, kind.count, f"Generating {kind.noun}s...")
    pieces = await flow.run()
    job.finalizing(f"Finalizing {kind.noun}s...")
    return pieces


async def run_together(writers: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Run all at once; when one fails, cancel the others and raise its error, unwrapped."""
    try:
        async with asyncio.TaskGroup() as group:
            for writer in writers:
                group.create_task(_awaited(writer))
    except BaseExceptionGroup as failures:
        # A lost lease is no Exception and outranks whatever else went wrong at the same time.
        raise min(failures.exceptions, key=lambda error: isinstance(error, Exception)) from failures


async def _awaited(writer: Callable[[], Awaitable[None]]) -> None:
    await writer()


def same_name(name: str, others: Sequence[str]) -> str | None:
    """Return the first of `others` that shares a word of four or more letters with `name`."""
    words = {word for word in name.casefold().split() if len(word) > 3} or {name.casefold()}
    return next((each for each in others if words.intersection(each.casefold().split())), None)


def _reason(error: ValueError | GenerationError) -> str:
    """Return why an item must be written again; a failed call that is not the item's fault is raised."""
    if isinstance(error, GenerationError) and error.code != "output_invalid":
        raise error
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
