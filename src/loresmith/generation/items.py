"""Several distinct objects of one model: planned by one small call, then written concurrently."""

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, Final, Generic

from pydantic import BaseModel, Field, StringConstraints, create_model

from loresmith.generation.generate import ModelT, ObjectWriter, build_request, restore
from loresmith.generation.guided import ask_for, find_item_guide
from loresmith.generation.naming import find_noun, find_plural
from loresmith.generation.progress import JobProgress, Part, track_progress
from loresmith.jobs import JobContext
from loresmith.llm.errors import GenerationError
from loresmith.lore import quote

PLAN_STEP: Final = "plan"
"""The checkpoint of the concepts: a retry or a rescue keeps them."""
_PLAN_SHARE: Final = 0.1
"""The plan is short; the items are written after it, side by side."""
_PLAN_TOKENS: Final = 120
"""Bound of one concept in the answer."""
_PLAN_TOKENS_SPARE: Final = 200
_IDEA_MAX_CHARACTERS: Final = 400
_NAME_MAX_CHARACTERS: Final = 120


class Concept(BaseModel):
    """One planned object."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=_NAME_MAX_CHARACTERS)]
    idea: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=_IDEA_MAX_CHARACTERS)] = (
        Field(description="One line")
    )

    def as_prompt_text(self) -> str:
        """Return the concept as quoted data."""
        return f"{quote(self.name, _NAME_MAX_CHARACTERS)}: {quote(self.idea, _IDEA_MAX_CHARACTERS)}"


async def generate_items(
    ctx: JobContext[Any, Any],
    model: type[ModelT],
    prompt: str,
    *,
    count: int,
    distinct_by: str = "name",
    instructions: str | None = None,
    max_output_tokens: int | None = None,
    temperature: float | None = None,
    fixed: Mapping[str, Any] | None = None,
    share: float = 1.0,
) -> list[ModelT]:
    """Return `count` objects of `model` that differ in `distinct_by`.

    For more than one, a first small call returns a concept of each; then each is written from its concept, knowing the
    others', as many at once as the provider has slots. Each is an item: checkpointed and visible to clients when it is
    finished. A later attempt of the job keeps the concepts and the finished items, and pays for neither again.

    The other arguments are those of `generate`.

    Raises:
        ValueError: `distinct_by` is no text field of `model`, or `count` is less than 1.
        GenerationError: see `generate`. Items that were finished stay.
    """
    if count < 1:
        raise ValueError(f"count {count} is too small: expected at least 1")
    if distinct_by not in model.model_fields:
        raise ValueError(f"distinct_by {distinct_by!r} is unknown: expected a field of {model.__name__}")
    plural = find_plural(find_noun(model))
    progress = await track_progress(ctx, count=count)
    items = _Items(ctx, model, distinct_by, *_new_parts(progress, count, share))
    items.restore()
    progress.report(f"Generating {plural}...")
    if items.missing:
        guide = find_item_guide(progress, model, prompt, count=count, seed=ctx.job_id)
        if guide is not None:
            items.plan_part.finish()
            await items.write(lambda index, part: guide.write(index, ask_for(ctx, part), items.names))
        else:
            settings = _Settings(instructions, max_output_tokens, temperature, fixed or {})
            await items.write(await _plan_items(items, prompt, settings))
    if progress.is_complete:
        ctx.finalizing(f"Finalizing {plural}...")
    return [items.finished[index] for index in range(count)]


WriteItem = Callable[[int, Part], Awaitable[ModelT]]


@dataclass(frozen=True, slots=True)
class _Settings:
    """The arguments of `generate_items` that go into each request."""

    instructions: str | None
    max_output_tokens: int | None
    temperature: float | None
    fixed: Mapping[str, Any]


@dataclass(slots=True)
class _Items(Generic[ModelT]):
    """The items of one run of a job."""

    ctx: JobContext[Any, Any]
    model: type[ModelT]
    distinct_by: str
    parts: Sequence[Part]
    plan_part: Part
    finished: dict[int, ModelT] = field(default_factory=dict[int, ModelT])

    def restore(self) -> None:
        """Take over the items of an earlier attempt."""
        for index, part in enumerate(self.parts):
            if (saved := self.ctx.items.get(index)) is not None:
                self.finished[index] = restore(self.model, saved)
                part.finish()
        if not self.missing:
            self.plan_part.finish()

    @property
    def missing(self) -> list[int]:
        return [index for index in range(len(self.parts)) if index not in self.finished]

    def names(self) -> list[str]:
        """Return what the finished items are called."""
        return [str(getattr(value, self.distinct_by)) for _, value in sorted(self.finished.items())]

    def check_distinct(self, value: ModelT) -> None:
        """Raise ValueError if another item is called the same."""
        name = str(getattr(value, self.distinct_by))
        if normalize(name) in map(normalize, self.names()):
            raise ValueError(f"{self.distinct_by}: {name!r} is taken by another one, choose a different one")

    async def write(self, write_item: WriteItem[ModelT]) -> None:
        """Write the missing items side by side, each saved as soon as it is there."""

        async def write_one(index: int) -> None:
            value = await write_item(index, self.parts[index])
            self.finished[index] = value  # before the next await: the others must see its name
            await self.ctx.save_item(index, value)
            self.parts[index].finish()

        await gather_or_cancel([partial(write_one, index) for index in self.missing])


def _new_parts(progress: JobProgress, count: int, share: float) -> tuple[Sequence[Part], Part]:
    planned = _PLAN_SHARE if count > 1 else 0.0
    parts = [progress.new_part(share * (1 - planned) / count) for _ in range(count)]
    return parts, progress.new_part(share * planned)


async def _plan_items(items: _Items[ModelT], prompt: str, settings: _Settings) -> WriteItem[ModelT]:
    """Return the function that writes an item from its concept; plans them first if there are several."""
    ctx, model, count = items.ctx, items.model, len(items.parts)
    concepts: Sequence[Concept] = ()
    if count > 1:
        concepts = await plan(
            ctx,
            [find_noun(model)] * count,
            prompt,
            part=items.plan_part,
            instructions=settings.instructions,
            temperature=settings.temperature,
        )
    items.plan_part.finish()
    request = build_request(
        model,
        prompt,
        instructions=settings.instructions,
        max_output_tokens=settings.max_output_tokens,
        temperature=settings.temperature,
        fixed=settings.fixed,
    )
    writer = ObjectWriter(ctx, model, settings.fixed, items.check_distinct)

    def write_item(index: int, part: Part) -> Awaitable[ModelT]:
        asked = replace(request, prompt=with_plan(prompt, concepts, index), purpose=f"{find_noun(model)} {index + 1}")
        return writer.write(asked, part)

    return write_item


def with_plan(prompt: str, concepts: Sequence[Concept], index: int) -> str:
    """Return the prompt for the object of one concept, with the others for comparison."""
    if not concepts:
        return str(prompt)
    listed = "\n".join(f"{number}. {each.as_prompt_text()}" for number, each in enumerate(concepts, start=1))
    return f"{prompt}\nThe plan:\n{listed}\nWrite number {index + 1} alone, under its name."


async def plan(
    ctx: JobContext[Any, Any],
    nouns: Sequence[str],
    prompt: str,
    *,
    part: Part | None = None,
    instructions: str | None = None,
    temperature: float | None = None,
    message: str | None = None,
) -> Sequence[Concept]:
    """Return a concept for each noun, with distinct names; a checkpointed step.

    Raises GenerationError.
    """
    count, progress = len(nouns), await track_progress(ctx)
    part = part or progress.new_part(0.0)
    progress.report(message)
    model = create_model(
        "Plan",
        concepts=(list[Concept], Field(min_length=count, max_length=count)),
    )
    listed = ", ".join(f"{number}. {noun}" for number, noun in enumerate(nouns, start=1))
    task = f"{find_plural(nouns[0])}" if len(set(nouns)) == 1 else listed
    request = build_request(
        model,
        f"{prompt}\nDo not write it yet: plan {count} ({task}), as different from each other as they can be.",
        instructions=instructions,
        temperature=temperature,
        max_output_tokens=_PLAN_TOKENS_SPARE + _PLAN_TOKENS * count,
        purpose="plan",
    )

    async def write() -> Any:
        return await ObjectWriter(ctx, model, {}, _check_names).write(request, part)

    planned: Any = await ctx.step(PLAN_STEP, write, model)
    return planned.concepts


def _check_names(planned: Any) -> None:
    seen: set[str] = set()
    for concept in planned.concepts:
        if normalize(concept.name) in seen:
            raise ValueError(f"concepts: the name {concept.name!r} comes twice")
        seen.add(normalize(concept.name))


def normalize(name: str) -> str:
    """Return a name as it is compared with others: without regard to case, width and spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


async def gather_or_cancel(writers: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Run all at once and raise the error of the first that failed, unwrapped.

    When the error is worth another attempt, the others are finished first: what they have paid for is kept. Any other
    error cancels them.
    """
    failures: list[GenerationError] = []

    async def run(writer: Callable[[], Awaitable[None]]) -> None:
        try:
            await writer()
        except GenerationError as error:
            if not error.retryable:
                raise
            failures.append(error)

    try:
        async with asyncio.TaskGroup() as group:
            for writer in writers:
                group.create_task(run(writer))
    except BaseExceptionGroup as group_error:
        # A lost lease is no Exception and outranks any other error of the same time.
        raise min(group_error.exceptions, key=lambda error: isinstance(error, Exception)) from group_error
    if failures:
        raise max(failures, key=lambda error: error.began)  # an attempt is counted if any of them began
