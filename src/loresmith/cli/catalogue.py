"""`loresmith types`: what can be submitted, and the fields that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from loresmith.cli.remote import AsJson, Url, complete_types, connected, print_table
from loresmith.cli.terminal import print_json, say

if TYPE_CHECKING:
    from loresmith.cli.fields import Resolver
    from loresmith.client import JobType

_BOUNDS = {"minimum": "at least", "maximum": "at most", "minLength": "least length", "maxLength": "length up to"}


def types(
    name: Annotated[
        str | None, typer.Argument(metavar="[TYPE]", help="Show its fields.", autocompletion=complete_types)
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the job types, or show the fields of one."""
    from loresmith.cli.submit import find_type

    with connected(url) as client:
        kinds = list(client.job_types()) if name is None else [find_type(client, name)]
    if as_json:
        documents = [kind.document for kind in kinds]
        print_json(documents if name is None else documents[0])
    elif name is None:
        rows = [(kind.name, f"{kind.expected_seconds:.0f} s", kind.description) for kind in kinds]
        print_table(("TYPE", "TAKES", "WHAT"), rows)
    else:
        _print_fields(kinds[0])


def _print_fields(kind: JobType) -> None:
    import textwrap

    from loresmith.cli.fields import Resolver

    say(*textwrap.wrap(f"{kind.name}: {kind.description}", 80))
    schema = Resolver(kind.payload_schema)
    required = {name for one in schema.alternatives for name in one.get("required", ())}
    rows = [
        (name, _kind(part := schema.field(name, name)), _default(field, needed=name in required), _about(field, part))
        for name, field in schema.fields.items()
    ]
    if rows:
        say()
        print_table(("FIELD", "TYPE", "DEFAULT", "WHAT"), rows, wrap=True)


def _kind(field: Resolver) -> str:
    return " or ".join(sorted(field.kinds - {"null"})) or "any"


def _default(field: Any, *, needed: bool) -> str:
    if needed:
        return "(needed)"
    return "" if field.get("default") is None else str(field["default"])


def _about(field: Any, resolver: Resolver) -> str:
    values = ", ".join(str(value) for value in resolver.values or resolver.items.values)
    bounds = [f"{words} {field[bound]}" for bound, words in _BOUNDS.items() if bound in field]
    parts = [f"one of {values}" if values else "", str(field.get("description", "")), ", ".join(bounds)]
    return "; ".join(part for part in parts if part)
