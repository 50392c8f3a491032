"""Objects that satisfy a schema, for servers that answer as a model would."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from random import Random
from typing import Any, cast

from loresmith.llm_service.fake_text import Writer
from loresmith.llm_service.schema import resolve
from tests.providers.rules.schemas import walk

Schema = dict[str, Any]

_DEEP = 5
_NOTE = re.compile(
    r"\b((?:min|max)(?:imum|Length|Items)|exclusiveM(?:in|ax)imum|multipleOf|uniqueItems)[=:] ?(-?[0-9.]+|true)",
    re.IGNORECASE,
)
_CHOICES = re.compile(r"\benum[=:] ?(\[[^\]]*\])")


def answer_for(schema: Schema, seed: int) -> str:
    """JSON of an object that satisfies `schema` and the limits that its descriptions name."""
    whole = obeyed(schema)
    return json.dumps(_Answerer(whole, Random(seed)).value(whole), ensure_ascii=False)


class _Answerer(Writer):
    """A writer that also knows tuples, numbers with a fraction, and where a recursive object ends."""

    _depth = 0

    def value(self, schema: Schema, name: str = "") -> object:
        nullable = any(each.get("type") == "null" for each in schema.get("anyOf", []))
        if nullable and self._depth > _DEEP:
            return None
        schema = resolve(schema, self._root)
        if schema.get("type") == "array" and not schema.get("minItems") and self._depth > _DEEP:
            return []
        self._depth += 1
        try:
            return self._value(schema, name)
        finally:
            self._depth -= 1

    def _value(self, schema: Schema, name: str) -> object:
        if parts := schema.get("prefixItems"):
            return [self.value(each, name) for each in parts]
        if schema.get("type") == "number" and "enum" not in schema:
            lowest = schema.get("minimum", schema.get("exclusiveMinimum", 0))
            highest = schema.get("maximum", schema.get("exclusiveMaximum", lowest + 1))
            return round((lowest + highest) / 2 + (highest - lowest) * (self._random.random() - 0.5) / 2, 3)
        return super().value(schema, name)


def obeyed(schema: Schema) -> Schema:
    """`schema` with the limits that its descriptions name as keywords: a model reads them there."""
    whole = deepcopy(schema)
    for node, _ in walk(whole):
        for name, value in _NOTE.findall(str(node.get("description", ""))):
            target = _limited(node)
            target.setdefault(name, json.loads(value.lower()))
        if choices := _CHOICES.search(str(node.get("description", ""))):
            node.setdefault("enum", json.loads(choices[1]))
    return whole


def _limited(node: Schema) -> Schema:
    """The part of a node to which limits belong: the alternative that is not null."""
    alternatives = cast("list[Schema]", node.get("anyOf") or [])
    return next((each for each in alternatives if each.get("type") != "null" and "$ref" not in each), node)
