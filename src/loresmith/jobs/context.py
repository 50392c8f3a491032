"""What a handler sees of the engine: its payload, its checkpoint, and where to report."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, cast

import msgspec
import pydantic_core
import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import TypeVar

from loresmith.jobs.keys import owner_digest
from loresmith.jobs.types import Spent, Usage

if TYPE_CHECKING:
    from loresmith.jobs.run import Run

P_co = TypeVar("P_co", bound=BaseModel, covariant=True)
ItemT = TypeVar("ItemT", default=Any)
T = TypeVar("T")
Step = TypeVar("Step")

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class JobContext(Generic[P_co, ItemT]):
    """Handed to a handler for one attempt at one job."""

    __slots__ = ("_calls", "_item", "_items", "_resources", "_run", "payload", "state")

    def __init__(
        self, run: "Run", payload: P_co, resources: Mapping[type, object], item: TypeAdapter[Any] | None = None
    ) -> None:
        self._run = run
        self._resources = resources
        self._item = item
        self._items: dict[int, ItemT] | None = None
        self.state: dict[type, object] = {}
        """What a library keeps for the length of this attempt, by type."""
        self._calls: dict[object, tuple[int, int, float | None]] = {}
        self.payload = payload

    @property
    def job_id(self) -> str:
        """The id of the job."""
        return self._run.job.id

    @property
    def root_job_id(self) -> str:
        """The id of the first job of a chain of retries by the user: the key for effects that must happen once."""
        return self._run.submitted.root_job_id

    @property
    def owner(self) -> str:
        """Whose job it is."""
        return self._run.submitted.owner

    @property
    def owner_digest(self) -> str:
        """Whose job it is, in a form that says nothing about them: what other services are told."""
        return owner_digest(self._run.submitted.owner)

    @property
    def attempt(self) -> int:
        """Which try this is, from 1; a worker that died or stopped does not count."""
        return self._run.job.attempt

    @property
    def run(self) -> int:
        """The fence: grows by one with every start of the job."""
        return self._run.number

    @property
    def items(self) -> Mapping[int, ItemT]:
        """The finished items, by index, of this and of earlier attempts.

        They have the job type's item type, or are JSON values where it has none. A saved item that no longer fits the
        type, after an upgrade, is not there.
        """
        return self._load_items()

    async def save_item(self, index: int, value: ItemT | BaseModel | Mapping[str, Any]) -> None:
        """Checkpoint a finished item: it is never asked for again, and clients see it at once."""
        encoded = pydantic_core.to_json(value)
        self._load_items()[index] = self._parse_item(encoded)
        await self._run.save(str(index), encoded)

    def _load_items(self) -> dict[int, ItemT]:
        if self._items is None:
            self._items = {}
            for name, value in self._run.checkpoint.items():
                if name.isdigit():
                    try:
                        self._items[int(name)] = self._parse_item(bytes(value))
                    except ValidationError:
                        log.warning("saved_item_does_not_fit", job_id=self.job_id, item=int(name))
        return self._items

    def _parse_item(self, value: bytes) -> Any:
        return msgspec.json.decode(value) if self._item is None else self._item.validate_json(value)

    async def step(self, name: str, work: Callable[[], Awaitable[Step]], kind: type[Step]) -> Step:
        """Do a named piece of work once: what it returned is checkpointed and given again after a crash or a retry.

        `kind` is the type of the result, by which it is read back; `name` must not be a number.
        """
        if name.isdigit():
            raise ValueError(f"step name {name!r} must not be a number: those are items")
        adapter = TypeAdapter(kind)
        if (done := self._run.checkpoint.get(name)) is not None:
            return adapter.validate_json(bytes(done))
        value = await work()
        await self._run.save(name, adapter.dump_json(value))
        return value

    def report(self, fraction: float | None = None, message: str | None = None) -> None:
        """Say how much of the generation is done, 0 to 1; with None the engine goes by the clock.

        Costs next to nothing and never waits: what is written, at most twice a second, is the newest.
        """
        self._run.report(fraction, message)

    async def compare(self, model: str, count: int) -> None:
        """Estimate this job by past ones of its type that had the same `model` and `count`, and keep it for later ones.

        Both are only compared, never understood. Without this, progress is what `report` says.
        """
        await self._run.compare(model, count)

    def reached(self, part: int, mark: int) -> None:
        """Say that a part of the job is at a checkpoint, numbers of the handler's own choice; costs next to nothing.

        What past jobs still took from there is what this one is expected to take.
        """
        self._run.reached(part, mark)

    def finalizing(self, message: str) -> None:
        """Say that the generation is done and the result is being put together (progress 90)."""
        self._run.finalize(message)

    def add_usage(
        self,
        *,
        model: str,
        input_tokens: int,
        output_tokens: int,
        cost_usd: float | None = None,
        wasted: bool = False,
    ) -> None:
        """Add what one call to a model used to the job's usage; `wasted` when nothing came of the call."""
        usage = self._usage()
        if model and model not in (usage.model or "").split(", "):
            usage.model = f"{usage.model}, {model}" if usage.model else model
        usage.add(input_tokens, output_tokens, cost_usd)
        if wasted:
            usage.wasted = usage.wasted or Spent()
            usage.wasted.add(input_tokens, output_tokens, cost_usd)

    def in_flight(self, call: object, input_tokens: int, output_tokens: int, cost_usd: float | None = None) -> None:
        """Say what a call under way has used so far, so that it is counted should this worker die; 0, 0 at its end."""
        self._calls[call] = (input_tokens, output_tokens, cost_usd)
        if not input_tokens and not output_tokens:
            del self._calls[call]
        total = Spent()
        for spent in self._calls.values():
            total.add(*spent)
        self._usage().in_flight = total if self._calls else None

    def _usage(self) -> Usage:
        self._run.dirty = True
        usage = self._run.job.usage = self._run.job.usage or Usage()
        return usage

    def resource(self, kind: type[T]) -> T:
        """Return what the worker was given under this type. Raises LookupError when there is none."""
        try:
            return cast("T", self._resources[kind])
        except KeyError:
            raise LookupError(f"the worker has no resource {kind.__name__!r}") from None

    def remaining_seconds(self) -> float:
        """Return the seconds until the deadline of the job."""
        return max(0.0, self._run.deadline - time.monotonic())
