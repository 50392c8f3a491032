"""Payloads as callers give them: a mapping, an object, or fields one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast


def join_payload(payload: object, fields: Mapping[str, Any]) -> object:
    """Return a payload with further fields. Raises TypeError for a field that is given twice."""
    if payload is None:
        return dict(fields)
    if not fields:
        return payload
    if not isinstance(payload, Mapping):
        kind = type(payload).__name__
        raise TypeError(f"a payload that is a {kind} takes no further fields: got {', '.join(fields)}")
    given = cast("Mapping[str, Any]", payload)
    if twice := sorted(given.keys() & fields.keys()):
        raise TypeError(f"payload field {twice[0]!r} is given twice: expected it in the mapping or as an argument")
    return {**given, **fields}
