"""`loresmith worlds`: the saved worlds of a running server."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Annotated

import typer

from loresmith.cli.remote import AsJson, Url, connected, print_table
from loresmith.cli.terminal import print_json, say

if TYPE_CHECKING:
    from loresmith.cli.show import Json
    from loresmith.client import World

WorldId = Annotated[str, typer.Argument(metavar="WORLD", help="Id of a world.")]


def build_worlds() -> typer.Typer:
    """The group of commands."""
    group = typer.Typer(help="List, read and delete saved worlds.")
    group.callback(invoke_without_command=True)(list_worlds)
    group.command("show")(show_world)
    group.command("delete")(delete_world)
    return group


def list_worlds(
    context: typer.Context,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List saved worlds, newest first; read one with `show`, remove one with `delete`."""
    if context.invoked_subcommand is not None:
        return
    with connected(url) as client:
        worlds = list(itertools.islice(client.worlds(page_size=min(limit, 100)), limit))
    if as_json:
        print_json([world.document for world in worlds])
    elif worlds:
        rows = [(one.id, one.title, one.theme, f"{one.created_at.astimezone():%Y-%m-%d}") for one in worlds]
        print_table(("WORLD", "TITLE", "THEME", "SAVED"), rows)
    else:
        say("no worlds")


def show_world(world_id: WorldId, url: Url = None, as_json: AsJson = False) -> None:
    """Read a world: its story, its quest, its pieces."""
    from loresmith.cli.show import world_lines

    with connected(url) as client:
        world = client.world(world_id)
    if as_json:
        print_json(world.document)
    else:
        say(*world_lines(_as_saved(world)))


def delete_world(world_id: WorldId, url: Url = None, as_json: AsJson = False) -> None:
    """Delete a world for good."""
    with connected(url) as client:
        client.delete_world(world_id)
    if as_json:
        print_json({"deleted": world_id})
    else:
        say(f"{world_id}  deleted")


def _as_saved(world: World) -> dict[str, Json]:
    return {**world.document, "world_id": world.id}
