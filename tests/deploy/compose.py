"""compose.yaml, read as Compose reads it, as far as the tests need it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {"POSTGRES_PASSWORD": "0123456789abcdef", "LORESMITH_LORE_TOKEN": "fedcba9876543210"}
"""What must be given."""

_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def services(given: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The services, with variables put in. Raises KeyError for one that must be given and is not."""
    document = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return cast("dict[str, dict[str, Any]]", _put_in(document, given)["services"])


def environment(service: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """The variables of a container: a variable without a value is passed on if it is given."""
    listed = cast("dict[str, str | None]", service.get("environment", {}))
    found = {name: given.get(name) if value is None else value for name, value in listed.items()}
    return {name: value for name, value in found.items() if value is not None}


def seconds(duration: str) -> float:
    """`75s` as 75.0."""
    assert duration.endswith("s"), duration
    return float(duration.removesuffix("s"))


def _put_in(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, given), value)
    if isinstance(value, dict):
        return {name: _put_in(part, given) for name, part in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_put_in(part, given) for part in cast("list[Any]", value)]
    return value


def _value(found: re.Match[str], given: Mapping[str, str]) -> str:
    name, kind, otherwise = found.groups()
    if given.get(name):
        return given[name]
    if kind != "-":
        raise KeyError(name)
    return str(otherwise)
