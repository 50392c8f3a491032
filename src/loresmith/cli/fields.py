"""Words of a command line as a payload: names checked and values read as the job type's JSON schema wants them."""

from __future__ import annotations

import contextlib
import difflib
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

Schema = Mapping[str, Any]
_NOTHING: Final = object()
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


class FieldError(ValueError):
    """A field or its value is wrong; the message names it."""


def read_payload(words: Sequence[str], schema: Schema) -> dict[str, Any]:
    """Return the payload that `field=value` words make; `a.b=value` is a field in a field. Raises FieldError.

    A value is read as its schema says: `3` is an integer where one is wanted. `@file` is what is in a file, `@-` what
    comes in on standard input, `@@` an @ at the beginning. A field that is a list takes one element of each word, or
    all of them as JSON. A word that is only `@file` is a whole payload, over which the other words win.
    """
    whole: dict[str, Any] = {}
    named: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals and word.startswith("@"):
            whole |= _whole(word)
            continue
        if not equals or not name:
            raise FieldError(f"{word!r} is no field: expected field=value, or @file with a whole payload")
        _put(named, name.split("."), text, Resolver(schema))
    return whole | named


class Resolver:
    """A JSON schema with its `$defs`, from which the schemas of fields are taken."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self.alternatives = list(self._alternatives(root))

    def _alternatives(self, schema: Schema) -> Iterator[Schema]:
        """Yield the plain schemas that a schema is made of: through `$ref`, `anyOf`, `oneOf` and `allOf`."""
        if "$ref" in schema:
            yield from self._alternatives(self._target(str(schema["$ref"])))
            return
        inner = [one for key in ("anyOf", "oneOf", "allOf") for one in schema.get(key, ())]
        for one in inner:
            yield from self._alternatives(one)
        if not inner or "properties" in schema:
            yield schema

    def _target(self, reference: str) -> Schema:
        found: Any = self._root
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part, {})
        return cast("Schema", found)

    @property
    def kinds(self) -> set[str]:
        """The JSON types that a value may have; empty where any will do."""
        found: set[str] = set()
        for one in self.alternatives:
            kind = one.get("type", _kind_of(one))
            found |= {kind} if isinstance(kind, str) else set(kind or ())
        return found

    @property
    def fields(self) -> dict[str, Schema]:
        """The fields that an object may have."""
        return {name: field for one in self.alternatives for name, field in one.get("properties", {}).items()}

    @property
    def items(self) -> Resolver:
        """The schema of an element, where a value may be a list."""
        schemas = [one["items"] for one in self.alternatives if isinstance(one.get("items"), dict)]
        return Resolver({"$defs": self._root.get("$defs", {}), "anyOf": schemas} if schemas else {})

    @property
    def values(self) -> list[Any]:
        """The values that are allowed, where they are listed and no other is."""
        listed = [[one["const"]] if "const" in one else one.get("enum") for one in self.alternatives]
        known = [one for one, own in zip(listed, self.alternatives, strict=True) if own.get("type") != "null"]
        return [value for values in known for value in values or ()] if all(known) else []

    @property
    def is_open(self) -> bool:
        """Whether an object may have fields that are not named."""
        return any(bool(one.get("additionalProperties")) for one in self.alternatives) or not self.fields

    def field(self, name: str, path: str) -> Resolver:
        """Return the schema of a field. Raises FieldError that names the nearest there is."""
        if name in self.fields:
            return Resolver({"$defs": self._root.get("$defs", {}), **self.fields[name]})
        if self.is_open:
            return Resolver({})
        near = difflib.get_close_matches(name, self.fields, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(sorted(self.fields))}"
        raise FieldError(f"there is no field {path!r}: {hint}")


def _kind_of(schema: Schema) -> Any:
    """The type of a schema that says it by the values that it allows."""
    values = [schema["const"]] if "const" in schema else schema.get("enum", [])
    return "string" if values and all(isinstance(value, str) for value in values) else None


def _put(payload: dict[str, Any], path: list[str], text: str, schema: Resolver) -> None:
    inside: dict[str, Any] = payload
    name = ".".join(path)
    for at, part in enumerate(path):
        schema = schema.field(part, ".".join(path[: at + 1]))
        if at == len(path) - 1:
            inside[part] = _read(name, text, schema, inside.get(part, _NOTHING))
        else:
            found: Any = inside.setdefault(part, {})
            if not isinstance(found, dict):
                raise FieldError(f"{'.'.join(path[: at + 1])!r} is given twice")
            inside = cast("dict[str, Any]", found)


def _read(name: str, text: str, schema: Resolver, before: Any) -> Any:
    """Return the value of a field of which words before made `before`. Raises FieldError."""
    is_first, is_list = before is _NOTHING, "array" in schema.kinds
    if not is_first and not is_list:
        raise FieldError(f"{name!r} is given twice")
    text = _resolved(text)
    if is_first and (schema.kinds - {"array", "null"} or not is_list or text == "null"):
        return _value(name, text, schema.kinds)
    elements = _json(name, text) if text.lstrip().startswith("[") else [_value(name, text, schema.items.kinds)]
    if is_first:
        return elements
    return [*(cast("list[Any]", before) if isinstance(before, list) else [before]), *elements]


def read_value(name: str, text: str, kinds: set[str]) -> Any:
    """Return a value of one of these JSON types. Raises FieldError."""
    return _value(name, _resolved(text), kinds)


def _resolved(text: str) -> str:
    """Return the text that a word stands for: what is in a file, where it names one. Raises FieldError."""
    if text.startswith("@@"):
        return text[1:]
    return _contents(text[1:]) if text.startswith("@") else text


def _value(name: str, text: str, kinds: set[str]) -> Any:
    if text == "null" and "null" in kinds:
        return None
    if kinds & {"object", "array"} and text.lstrip()[:1] in ("{", "["):
        return _json(name, text)
    if "string" in kinds:
        return text
    if not kinds:
        return _json_or_text(text)
    return _plain(name, text, kinds)


def _plain(name: str, text: str, kinds: set[str]) -> Any:
    """Return a number or a truth value."""
    word = text.strip().lower()
    if "boolean" in kinds and word in (*_TRUE, *_FALSE) and (word.isalpha() or not kinds & {"integer", "number"}):
        return word in _TRUE
    for kind, read in (("integer", int), ("number", float)):
        if kind in kinds:
            with contextlib.suppress(ValueError):
                number = read(word)
                if math.isfinite(number):
                    return number
    expected = " or ".join(sorted(kinds - {"null"}))
    raise FieldError(f"{name}={text[:60]!r}: expected {expected}")


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise FieldError(f"{name}: expected JSON, {error}") from None


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _whole(word: str) -> dict[str, Any]:
    payload = _json(word, _contents(word[1:]))
    if not isinstance(payload, dict):
        raise FieldError(f"{word}: expected a JSON object, the whole payload")
    return cast("dict[str, Any]", payload)


def _contents(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise FieldError(f"cannot read {name!r}: {reason.lower()}") from None
