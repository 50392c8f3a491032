"""The job type `generate_characters`."""

from loresmith.generation import generate_items
from loresmith.jobs import JobContext, job_type
from loresmith.lore import Character, LorePrompt, ThemedItems


class GenerateCharacters(ThemedItems):
    """The payload of `generate_characters`."""


@job_type("generate_characters", expected_seconds=30)
async def generate_characters(ctx: JobContext[GenerateCharacters]) -> list[Character]:
    """Generate characters for a theme: name, role, appearance, backstory, traits, skills and stats."""
    prompt = LorePrompt(
        "Create a character for a world: specific, surprising, free of clichés.", theme=ctx.payload.theme
    )
    return await generate_items(ctx, Character, prompt, count=ctx.payload.count, max_output_tokens=2_000)
