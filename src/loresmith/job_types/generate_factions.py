"""The job type `generate_factions`."""

from loresmith.generation import generate_items
from loresmith.jobs import JobContext, job_type
from loresmith.lore import Faction, LorePrompt, ThemedItems


class GenerateFactions(ThemedItems):
    """The payload of `generate_factions`."""


@job_type("generate_factions", expected_seconds=30)
async def generate_factions(ctx: JobContext[GenerateFactions]) -> list[Faction]:
    """Generate factions for a theme: name, goal, methods, leader, headquarters, symbol, secret and stats."""
    prompt = LorePrompt("Create a faction for a world: specific, surprising, free of clichés.", theme=ctx.payload.theme)
    return await generate_items(ctx, Faction, prompt, count=ctx.payload.count, max_output_tokens=2_000)
