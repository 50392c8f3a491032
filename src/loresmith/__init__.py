"""LoreSmith: asynchronous jobs for language-model generation.

A job type is a pydantic model, a prompt and one call:

    @job_type("generate_quests")
    async def generate_quests(ctx: JobContext[QuestRequest]) -> list[Quest]:
        prompt = f"Write a quest. Theme: {quote(ctx.payload.theme)}."
        return await generate_items(ctx, Quest, prompt, count=ctx.payload.count, distinct_by="title")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loresmith.asgi import Jobs, asgi_app
    from loresmith.client import AsyncJobsClient, JobsClient
    from loresmith.generation import generate, generate_items, quote
    from loresmith.jobs import JobContext, job_type

__all__ = [
    "AsyncJobsClient",
    "JobContext",
    "Jobs",
    "JobsClient",
    "asgi_app",
    "generate",
    "generate_items",
    "job_type",
    "quote",
]

_PLACES = {
    "loresmith.asgi": ("Jobs", "asgi_app"),
    "loresmith.client": ("AsyncJobsClient", "JobsClient"),
    "loresmith.generation": ("generate", "generate_items", "quote"),
    "loresmith.jobs": ("JobContext", "job_type"),
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: the client must not load the engine.

    Raises ImportError that names the extra, for a name of the server where the client alone is installed.
    """
    place = next((module for module, names in _PLACES.items() if name in names), None)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see above

    try:
        return getattr(import_module(place), name)
    except ModuleNotFoundError as error:
        if (error.name or "loresmith").partition(".")[0] == "loresmith":
            raise
        needs = f"loresmith.{name} needs {error.name!r}, not installed: pip install 'loresmith[server]'"
        raise ImportError(needs, name=error.name) from error
