"""Progress of a job over all its calls to a model."""

from dataclasses import dataclass, field
from typing import Any, Final

from loresmith.jobs import JobContext
from loresmith.llm.port import LoreModel, ModelCapabilities

_UNFINISHED_MAX: Final = 0.99
"""A call whose last field has come is not done: its answer is not validated yet."""
_DONE_MARK: Final = 0
_REPEAT_MARK: Final = 1000


@dataclass(slots=True)
class JobProgress:
    """The parts of one run of a job; the progress of the job is the sum of their shares."""

    ctx: JobContext[Any, Any]
    capabilities: ModelCapabilities
    parts: list["Part"] = field(default_factory=list["Part"])
    message: str | None = None

    def new_part(self, share: float) -> "Part":
        """Return the next part; `share` is its size relative to the whole generation, 0 to 1."""
        part = Part(self, len(self.parts), share)
        self.parts.append(part)
        return part

    @property
    def fraction(self) -> float:
        """The finished fraction of the generation, 0 to 1."""
        return min(1.0, round(sum(part.share * part.fraction for part in self.parts), 6))

    @property
    def is_complete(self) -> bool:
        """Whether the finished parts are all of the generation."""
        return all(part.fraction == 1 for part in self.parts) and self.fraction > _UNFINISHED_MAX

    def report(self, message: str | None = None) -> None:
        """Report the fraction, or that the clock must estimate it where the model does not stream."""
        self.message = message or self.message
        self.ctx.report(self.fraction if self.capabilities.streams else None, self.message)


@dataclass(slots=True)
class Part:
    """One call to a model, or several for one object."""

    job: JobProgress
    number: int
    share: float
    fraction: float = 0.0

    def advance(self, fields_done: int, fields_total: int, *, repeats: bool = False) -> None:
        """Report that `fields_done` of `fields_total` fields are complete; `repeats` marks a repaired answer."""
        self.fraction = max(self.fraction, min(fields_done / max(1, fields_total), _UNFINISHED_MAX))
        left = max(0, fields_total - fields_done)
        self.job.ctx.reached(self.number, left + (_REPEAT_MARK if repeats else 1))
        self.job.report()

    def finish(self) -> None:
        """Report that the object of this part is valid."""
        self.fraction = 1.0
        self.job.ctx.reached(self.number, _DONE_MARK)
        self.job.report()


async def track_progress(ctx: JobContext[Any, Any], *, count: int = 1) -> JobProgress:
    """Return the progress of this run of the job.

    The first call of a run decides its `count`: the job is compared with past jobs of the same type, model and count.
    Raises GenerationError if the model cannot be described.
    """
    progress = ctx.state.get(JobProgress)
    if not isinstance(progress, JobProgress):
        capabilities = await ctx.resource(LoreModel).capabilities()
        progress = ctx.state[JobProgress] = JobProgress(ctx, capabilities)
        await ctx.compare(capabilities.model, count)
    return progress


async def is_guided(ctx: JobContext[Any, Any]) -> bool:
    """Return whether the model follows guides in place of prompts. Raises GenerationError."""
    return (await track_progress(ctx)).capabilities.guided
