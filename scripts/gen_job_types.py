"""Writes what each job type takes and makes into docs/job-types.md (`make gen`); `--check` fails on a difference."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from loresmith.bootstrap import build_registry
from loresmith.jobs import JobType
from scripts.page import ROOT, between, refresh

TARGET = ROOT / "docs" / "job-types.md"
BEGIN, END = "<!-- fields of {}: written by `make gen` -->\n", "<!-- end of fields -->\n"

Schema = dict[str, Any]


def main() -> int:
    """Writes the tables, or compares them with what is there."""
    return refresh(TARGET, with_tables, purpose=__doc__, drift="the fields are not what the job types say")


def with_tables(text: str) -> str:
    """Return the page with the tables of today's job types. Raises ValueError for a type without its place."""
    for kind in build_registry():
        if kind.item is None or "details" not in kind.item.json_schema().get("properties", {}):
            continue
        begin = BEGIN.format(kind.name)
        if begin not in text:
            raise ValueError(f"{TARGET.name} has no line {begin.strip()!r}")
        text = between(begin, tables(kind), END, text=text)
    return text


def tables(kind: JobType) -> str:
    """Return what a job type takes, and the details of what it makes."""
    assert kind.item is not None
    payload = kind.payload_model.model_json_schema()
    item = kind.item.json_schema(mode="serialization")
    details = resolved(item["properties"]["details"], item)
    return f"\n{table('payload', payload, payload)}\n{table('details', details, item)}\n"


def table(title: str, schema: Schema, root: Schema) -> str:
    """Return one table: a row for each field, those of inner objects included."""
    rows = "".join(f"| `{name}` | {what} |\n" for name, what in fields(schema, root))
    return f"| {title} | |\n|---|---|\n{rows}"


def fields(schema: Schema, root: Schema, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield each field with what it may be."""
    for name, field in schema["properties"].items():
        inner = resolved(field, root)
        needed = "" if name in schema.get("required", ()) else default(field)
        note = f": {field['description']}" if field.get("description") else ""
        if "properties" in inner and not prefix:
            yield name, f"object{needed}{note}"
            yield from fields(inner, root, f"{name}.")
        else:
            null = " or null" if any(each.get("type") == "null" for each in field.get("anyOf", ())) else ""
            yield f"{prefix}{name}", f"{what(inner, root)}{null}{needed}{note}"


def resolved(schema: Schema, root: Schema) -> Schema:
    """Return a schema without the reference or the null that stands around it."""
    choices: list[Schema] = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if choices:
        return resolved(choices[0], root)
    if reference := schema.get("$ref"):
        return resolved(root["$defs"][reference.rsplit("/", 1)[-1]], root)
    return schema


def default(field: Schema) -> str:
    """Return what stands for a field that is left out."""
    value = field.get("default")
    return ", optional" if value is None else f", default `{value}`"


def what(schema: Schema, root: Schema) -> str:
    """Return the type of a field and its bounds, in words."""
    if "enum" in schema:
        return " / ".join(f"`{each}`" for each in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    match schema.get("type"):
        case "integer":
            return f"{schema['minimum']} to {schema['maximum']}"
        case "array":
            few, many = schema["minItems"], schema["maxItems"]
            count = f"{few}" if few == many else f"{few} to {many}"
            return f"{count} × {what(resolved(schema['items'], root), root)}"
        case "string":
            least = f"{schema['minLength']} to " if "minLength" in schema else "up to "
            return f"text, {least}{schema['maxLength']} characters"
        case "object":
            return f"object, up to {schema['maxProperties']} members"
        case other:
            raise ValueError(f"no words for the schema type {other!r}")


if __name__ == "__main__":
    sys.exit(main())
