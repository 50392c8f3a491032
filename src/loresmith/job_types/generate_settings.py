"""The job type `generate_settings`."""

from loresmith.generation import generate_items
from loresmith.jobs import JobContext, job_type
from loresmith.lore import LorePrompt, Setting, ThemedItems


class GenerateSettings(ThemedItems):
    """The payload of `generate_settings`."""


@job_type("generate_settings", expected_seconds=30)
async def generate_settings(ctx: JobContext[GenerateSettings]) -> list[Setting]:
    """Generate settings for a theme: name, atmosphere, landmark, inhabitants, danger, resources, secret and stats."""
    prompt = LorePrompt("Create a place for a world: specific, surprising, free of clichés.", theme=ctx.payload.theme)
    return await generate_items(ctx, Setting, prompt, count=ctx.payload.count, max_output_tokens=2_000)
