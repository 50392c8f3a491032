"""LoreSmith: asynchronous jobs for language-model generation.

A job type is a pydantic model, a prompt and one call:

    @job_type("generate_quests")
    async def generate_quests(ctx: JobContext[QuestRequest]) -> list[Quest]:
        prompt = f"Write a quest. Theme: {quote(ctx.payload.theme)}."
        return await generate_items(ctx, Quest, prompt, count=ctx.payload.count, distinct_by="title")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loresmith.generation import generate, generate_items, quote
    from loresmith.jobs import JobContext, job_type

__all__ = ["JobContext", "generate", "generate_items", "job_type", "quote"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: the client must not load the engine."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see above

    module = "loresmith.jobs" if name in ("JobContext", "job_type") else "loresmith.generation"
    return getattr(import_module(module), name)
