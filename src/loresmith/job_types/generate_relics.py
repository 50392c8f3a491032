"""The job type `generate_relics`."""

from pydantic import AliasChoices, Field

from loresmith.generation import generate_items
from loresmith.jobs import JobContext, job_type
from loresmith.lore import LorePrompt, Relic, SelectedEvent, SelectedSetting, ThemedItems


class GenerateRelics(ThemedItems):
    """The payload of `generate_relics`."""

    selected_setting: SelectedSetting | None = Field(
        None,
        validation_alias=AliasChoices("selected_setting", "selectedSetting"),
        description="The place of the relics",
    )
    selected_event: SelectedEvent | None = Field(
        None,
        validation_alias=AliasChoices("selected_event", "selectedEvent"),
        description="The event that the relics come from",
    )


@job_type("generate_relics", expected_seconds=30)
async def generate_relics(ctx: JobContext[GenerateRelics]) -> list[Relic]:
    """Generate relics for a theme, an optional setting and event: name, appearance, power, cost, origin and stats."""
    setting, event = ctx.payload.selected_setting, ctx.payload.selected_event
    selected = [piece for piece in (setting, event) if piece]
    task = "Create a precious object of a world: specific, surprising, free of clichés." + (
        " It belongs to what follows." if selected else ""
    )
    prompt = LorePrompt(task, theme=ctx.payload.theme, selected=selected)
    names = {"setting": setting.name if setting else None, "event": event.name if event else None}
    return await generate_items(
        ctx, Relic, prompt, count=ctx.payload.count, fixed={"details": names}, max_output_tokens=2_000
    )
