"""One long object whose list of texts is checkpointed text by text while it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Generic

import structlog
from pydantic import BaseModel, ValidationError

from loresmith.generation.call import call_model
from loresmith.generation.generate import TRIES, ModelT, build_request, describe_problem
from loresmith.generation.guided import ask_for, find_story_guide
from loresmith.generation.naming import find_noun
from loresmith.generation.progress import Part, track_progress
from loresmith.jobs import JobContext
from loresmith.llm.errors import GenerationError
from loresmith.llm.port import GenerationRequest
from loresmith.lore import quote

if TYPE_CHECKING:
    from loresmith.small_model.story_guide import StoryGuide

_TEXT_MAX_CHARACTERS: Final = 4_000

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def generate_streamed(
    ctx: JobContext[Any, Any],
    model: type[ModelT],
    prompt: str,
    *,
    texts: str,
    item: type[BaseModel],
    first_item: int = 0,
    instructions: str | None = None,
    max_output_tokens: int | None = None,
    temperature: float | None = None,
    message: str | None = None,
    share: float = 1.0,
) -> ModelT:
    """Return one object of `model`, written in one streamed call.

    Each text of its list `texts` is saved as an item (`item(text=…)`), from index `first_item` on, as soon as it is
    finished. A later attempt of the job, or the repair of an answer that was cut off or is not valid, is shown the
    finished texts and asks for the rest alone: at most the text that was open is paid twice.

    The other arguments are those of `generate`. Raises GenerationError.
    """
    progress = await track_progress(ctx)
    guide = find_story_guide(progress, model, prompt, seed=ctx.job_id)
    calls = 1 if guide is None else guide.paragraphs + 1
    parts = [progress.new_part(share / calls) for _ in range(calls)]
    progress.report(message or f"Generating {find_noun(model)}...")
    saved = _SavedTexts(ctx, item, first_item)

    async def write() -> dict[str, Any]:
        if guide is not None:
            return await _write_guided(ctx, guide, saved, parts)
        request = build_request(
            model,
            prompt,
            instructions=instructions,
            max_output_tokens=max_output_tokens,
            temperature=temperature,
            purpose=find_noun(model),
        )
        return await _StreamedWriter(ctx, model, texts, saved, parts[0]).write(request)

    rest = await ctx.step(find_noun(model), write, dict[str, Any])
    for part in parts:
        part.finish()
    return model.model_validate({**rest, texts: saved.texts})


async def _write_guided(
    ctx: JobContext[Any, Any], guide: "StoryGuide", saved: "_SavedTexts", parts: Sequence[Part]
) -> dict[str, Any]:
    for number, part in enumerate(parts[: guide.paragraphs]):
        if number == len(saved.texts):
            await saved.append(await guide.paragraph(saved.texts, ask_for(ctx, part)))
        part.finish()
    return await guide.heading(saved.texts, ask_for(ctx, parts[-1]))


class _SavedTexts:
    """The finished texts, of this and of earlier attempts."""

    def __init__(self, ctx: JobContext[Any, Any], item: type[BaseModel], first_item: int) -> None:
        self._ctx, self._item, self._first = ctx, item, first_item
        self.texts: list[str] = []
        while (found := ctx.items.get(first_item + len(self.texts))) is not None:
            value: Any = found if isinstance(found, item) else item.model_validate(found)
            self.texts.append(value.text)

    async def append(self, text: str) -> None:
        value: Any = self._item(text=text)
        await self._ctx.save_item(self._first + len(self.texts), value)
        self.texts.append(value.text)


@dataclass(slots=True)
class _StreamedWriter(Generic[ModelT]):
    """Asks for what is missing of one object."""

    ctx: JobContext[Any, Any]
    model: type[ModelT]
    field: str
    saved: _SavedTexts
    part: Part
    _before: int = 0
    """Texts that were finished before the call under way."""
    _ended: bool = False
    """Whether an answer was whole, so that no more texts are to come."""

    async def write(self, request: GenerationRequest) -> dict[str, Any]:
        """Return the object without its texts, which are saved. Raises GenerationError."""
        problem = ""
        for number in range(TRIES):
            try:
                answer = await self._ask(request, problem, repeats=number > 0)
                value = self.model.model_validate({**answer, self.field: self.saved.texts})
                return value.model_dump(mode="json", exclude={self.field})
            except ValidationError as error:
                problem = describe_problem(error)
            except GenerationError as error:
                if error.code != "output_invalid":
                    raise
                problem = error.message
            _log.info("output_rejected", job_id=self.ctx.job_id, purpose=request.purpose)
        raise GenerationError("output_invalid", f"{request.purpose} is invalid: {problem}")

    async def _ask(self, request: GenerationRequest, problem: str, *, repeats: bool) -> Mapping[str, Any]:
        self._before = len(self.saved.texts)
        asked = replace(
            request,
            prompt=self._prompt(request.prompt, problem),
            output_schema=self._schema(request.output_schema),
            repairs=0,
        )
        answer = await call_model(self.ctx, asked, self.part, repeats=repeats, on_partial=self._save)
        await self._save(answer)
        self._ended = True
        return answer

    async def _save(self, so_far: Mapping[str, Any]) -> None:
        """Save the texts that are finished and not saved yet."""
        found: list[str] = so_far.get(self.field) or []
        for text in found[len(self.saved.texts) - self._before :]:
            await self.saved.append(text)

    def _prompt(self, prompt: str, problem: str) -> str:
        lines = [prompt]
        if self.saved.texts:
            lines.append(f"Finished {self.field}:")
            lines += [
                f"{number}. {quote(text, _TEXT_MAX_CHARACTERS)}" for number, text in enumerate(self.saved.texts, 1)
            ]
            lines.append("Write what is missing alone." if self._ended else "Go on after them: write the rest alone.")
        if problem:
            lines.append(f"An earlier answer was not valid: {problem}")
        return "\n".join(lines)

    def _schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the schema of what is missing."""
        properties = dict(schema["properties"])
        required = list(schema["required"])
        if self._ended:
            del properties[self.field]
            required.remove(self.field)
        elif count := len(self.saved.texts):
            array = dict(properties[self.field])
            for bound in ("minItems", "maxItems"):
                if bound in array:
                    array[bound] = max(0, array[bound] - count)
            properties[self.field] = array
        return {**schema, "properties": properties, "required": required}
