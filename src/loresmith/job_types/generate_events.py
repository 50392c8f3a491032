"""The job type `generate_events`."""

from pydantic import AliasChoices, Field

from loresmith.generation import generate_items
from loresmith.jobs import JobContext, job_type
from loresmith.lore import Event, LorePrompt, SelectedSetting, ThemedItems


class GenerateEvents(ThemedItems):
    """The payload of `generate_events`."""

    selected_setting: SelectedSetting | None = Field(
        None,
        validation_alias=AliasChoices("selected_setting", "selectedSetting"),
        description="The place of the events",
    )


@job_type("generate_events", expected_seconds=30)
async def generate_events(ctx: JobContext[GenerateEvents]) -> list[Event]:
    """Generate events for a theme and an optional setting: name, time, cause, course, consequence and stats."""
    setting = ctx.payload.selected_setting
    task = "Create an event from the past of a world: specific, surprising, free of clichés." + (
        " It happened in this setting." if setting else ""
    )
    prompt = LorePrompt(task, theme=ctx.payload.theme, selected=[setting] if setting else [])
    fixed = {"details": {"setting": setting.name if setting else None}}
    return await generate_items(ctx, Event, prompt, count=ctx.payload.count, fixed=fixed, max_output_tokens=2_000)
