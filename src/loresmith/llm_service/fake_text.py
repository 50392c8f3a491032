"""What the fake provider writes: made-up values that satisfy a JSON schema."""

from __future__ import annotations

import math
import re
from random import Random
from typing import Any, Final, cast

from loresmith.llm_service.patterns import pattern
from loresmith.llm_service.schema import resolve

_SYLLABLES: Final = re.findall("[a-z]+", "ka ren mor thal is el dra vyn or sha bel gar no lir zem ar tu vel ri osk")
_ADJECTIVES: Final = re.findall(
    "[a-z]+",
    "old frozen broken hidden silver wooden narrow patient stubborn bitter gentle hollow early late golden"
    " crooked distant brave heavy bright",
)
_NOUNS: Final = re.findall(
    "[a-z]+",
    "river lantern tower stone harbor forest winter letter bridge market wolf crown garden mirror mountain"
    " village storm road song coin boat window orchard castle field bell",
)
_VERBS: Final = re.findall(
    "[a-z]+", "keeps finds guards follows remembers loses builds fears carries watches sells hides"
)
_PREPOSITIONS: Final = re.findall("[a-z]+", "under behind near beyond above across")
_MOST_TRIES: Final = 64
_ENOUGH: Final = 500
"""After so many properties, only those that are required are written: a schema may refer to itself."""
_LONGEST_PHRASE = 120


class Writer:
    """Writes values for the parts of one schema; `random` decides everything."""

    def __init__(self, root: dict[str, Any], random: Random) -> None:
        self._root = root
        self._random = random
        self._written = 0

    def value(self, schema: dict[str, Any], name: str = "") -> object:
        """A value that satisfies `schema`; `name` is the property it is for.

        Raises ValueError for a pattern that nothing it can write fits.
        """
        schema = resolve(schema, self._root)
        if choices := [schema["const"]] if "const" in schema else schema.get("enum"):
            return cast("object", self._random.choice(choices))
        return self._of_kind(schema, name)

    def _of_kind(self, schema: dict[str, Any], name: str) -> object:
        match _kind(schema):
            case "object":
                return self._object(schema)
            case "array":
                return self._array(schema, name)
            case "string":
                return self._string(schema, name)
            case "integer" | "number":
                return self._integer(schema)
            case "boolean":
                return self._random.random() < 0.5
            case _:
                return None

    def _object(self, schema: dict[str, Any]) -> dict[str, object]:
        properties = cast("dict[str, dict[str, Any]]", schema.get("properties") or {})
        self._written += len(properties)
        enough = self._written > _ENOUGH
        named = [name for name in schema.get("required", ()) if name in properties] if enough else properties
        return {name: self.value(properties[name], name) for name in named}

    def _array(self, schema: dict[str, Any], name: str) -> list[object]:
        fewest = schema.get("minItems", 1)
        length = self._random.randint(fewest, schema.get("maxItems", fewest + 2))
        item = schema.get("items") or {"type": "string"}
        values = [self.value(item, name) for _ in range(length)]
        for _ in range(_MOST_TRIES if schema.get("uniqueItems") else 0):
            values = [each for at, each in enumerate(values) if each not in values[:at]]
            values += [self.value(item, name) for _ in range(length - len(values))]
        return values

    def _integer(self, schema: dict[str, Any]) -> int:
        lowest = math.ceil(schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1))
        highest = math.floor(schema.get("maximum", schema.get("exclusiveMaximum", lowest + 101) - 1))
        step = schema.get("multipleOf", 1)
        return int(self._random.randint(math.ceil(lowest / step), highest // step) * step)

    def _string(self, schema: dict[str, Any], name: str) -> str:
        fewest = schema.get("minLength", 0)
        most = schema.get("maxLength", max(fewest, 80))
        wanted = schema.get("pattern", "")
        prose = [self._phrase, self._sentence] if most <= _LONGEST_PHRASE else [self._sentence]
        if name in ("name", "title"):
            forms = [self._title if "words" in schema.get("description", "") else self._name, *prose]
        else:
            forms = [*prose, self._name]
        forms += [self._word, self._digits]
        for form in forms:
            for _ in range(_MOST_TRIES):
                text = form(fewest, most)
                if fewest <= len(text) <= most and pattern(wanted).matches(text):
                    return text
        raise ValueError(
            f"the fake provider writes nothing that fits pattern {wanted!r}"
            f" with {fewest} to {most} characters (property {name!r})"
        )

    def _name(self, fewest: int, most: int) -> str:
        name = self._capital(self._random.randint(2, 3))
        surname = self._capital(2)
        if len(f"{name} {surname}") <= most:
            name = f"{name} {surname}"
        while len(name) < fewest:
            name = f"{name} {self._capital(2)}"
        return name[:most].rstrip()

    def _title(self, fewest: int, most: int) -> str:
        """What a thing is called, where its description asks for words."""
        return self._phrase(fewest, most).title()

    def _phrase(self, fewest: int, most: int) -> str:
        """Two words, for a field that has no room for a sentence."""
        text = f"{self._random.choice(_ADJECTIVES)} {self._random.choice(_NOUNS)}"
        return text if fewest <= len(text) <= most else ""

    def _sentence(self, fewest: int, most: int) -> str:
        """English of a kind, no word of weight twice, well within `most`: the words of a fair item."""
        adjectives, nouns, verbs, prepositions = (
            self._random.sample(words, k=len(words)) for words in (_ADJECTIVES, _NOUNS, _VERBS, _PREPOSITIONS)
        )
        target = self._random.randint(fewest, max(fewest, min(most * 2 // 3, fewest + 60)))
        text = f"The {adjectives.pop()} {nouns.pop()} {verbs.pop()} the {nouns.pop()}"
        while len(text) + 1 < target and prepositions:
            text += f" {prepositions.pop()} the {adjectives.pop()} {nouns.pop()}"
        if len(text) >= most:
            text = nouns.pop()[: max(most - 1, 0)].capitalize()
        return text.ljust(fewest - 1, "e") + "." if most else ""

    def _word(self, fewest: int, most: int) -> str:
        word = "".join(self._random.choices(_SYLLABLES, k=2))
        while len(word) < fewest:
            word += self._random.choice(_SYLLABLES)
        return word[:most]

    def _digits(self, fewest: int, most: int) -> str:
        length = self._random.randint(max(fewest, 1), max(min(most, fewest + 8), 1))
        return "".join(self._random.choices("0123456789", k=length))

    def _capital(self, syllables: int) -> str:
        return "".join(self._random.choices(_SYLLABLES, k=syllables)).capitalize()


def _kind(schema: dict[str, Any]) -> str:
    kind: object = schema.get("type")
    if isinstance(kind, list):
        kinds = cast("list[str]", kind)
        return next((each for each in kinds if each != "null"), "null")
    return str(kind or ("object" if "properties" in schema else "string"))
