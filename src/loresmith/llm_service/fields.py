"""The fields of a JSON object that is still being written: those finished, those expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, cast

from loresmith.llm_service.schema import resolve

_CLOSER: Final = {"{": "}", "[": "]"}
_DEEPEST_SCHEMA: Final = 8
_ITEMS_OF_AN_OPEN_ARRAY: Final = 3
_MOST_FIELDS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Field:
    """A leaf value that just finished: the `number`-th of the object, and the object up to it."""

    number: int
    partial: str


class _Inside(Enum):
    NOTHING = auto()
    KEY = auto()
    STRING = auto()
    SCALAR = auto()


class FieldReader:
    """Reads the text of one JSON object in chunks and yields each leaf value as it finishes.

    A string is finished at its closing quote, any other scalar when what follows it begins. Where
    the chunks are cut makes no difference. Text before the first `{` and after its `}` is ignored; a brace of prose,
    after which no name of a property comes, is taken back, and an object after a whole one is read from its begin.
    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._open: list[str] = []
        self._inside = _Inside.NOTHING
        self._escaped = False
        self._key_next = False
        self._whole = ""
        self.done = 0
        self.complete = False

    @property
    def object_text(self) -> str:
        """The last whole object, else what was read of one: no text around it."""
        return self._whole or "".join(self._text)

    def feed(self, chunk: str) -> Iterator[Field]:
        """Takes the next piece of text; yields the fields that it finishes."""
        for character in chunk:
            if not self._open:
                if character != "{":
                    continue
                self._restart()
            if self._key_next and self._inside is _Inside.NOTHING and character not in '":} \t\r\n':
                self._restart()
                continue
            if self._inside is _Inside.SCALAR and character in ",]} \t\r\n":
                self._inside = _Inside.NOTHING
                yield self._finished()
            self._text.append(character)
            if self._step(character):
                yield self._finished()

    def _restart(self) -> None:
        self._text, self._open, self._inside = [], [], _Inside.NOTHING
        self._escaped = self._key_next = False
        self.done = 0

    def _step(self, character: str) -> bool:
        """Moves by one character; whether it closed a string value."""
        if self._inside in (_Inside.KEY, _Inside.STRING):
            return self._step_in_string(character)
        if character == '"':
            self._inside = _Inside.KEY if self._key_next else _Inside.STRING
        elif character in _CLOSER:
            self._open.append(character)
            self._key_next = character == "{"
        elif character in "}]":
            self._close()
        elif character in ",:":
            self._key_next = character == "," and self._open[-1] == "{"
        elif not character.isspace():
            self._inside = _Inside.SCALAR
        return False

    def _step_in_string(self, character: str) -> bool:
        if self._escaped:
            self._escaped = False
        elif character == "\\":
            self._escaped = True
        elif character == '"':
            closed_value = self._inside is _Inside.STRING
            self._inside = _Inside.NOTHING
            return closed_value
        return False

    def _close(self) -> None:
        self._open.pop()
        self._key_next = False
        if not self._open:
            self.complete = True
            self._whole = "".join(self._text)

    def _finished(self) -> Field:
        self.done += 1
        closers = "".join(_CLOSER[opener] for opener in reversed(self._open))
        return Field(self.done, "".join(self._text) + closers)


def expected_fields(schema: dict[str, Any]) -> int:
    """How many leaf values an object of this schema will have, from 1 to 10,000; arrays are estimated."""
    return max(1, _Leaves(schema).under(schema, _DEEPEST_SCHEMA))


class _Leaves:
    """Counts leaves, each part of a schema once at each depth: parts that refer to each other would never end."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._known: dict[tuple[int, int], int] = {}

    def under(self, schema: Any, depth: int) -> int:
        """How many there are under a part of the schema."""
        found = resolve(schema, self._root)
        if depth == 0:
            return 1
        if not found:  # nothing is said of it, or it is made on the spot, so that its id means nothing
            return 1
        here = id(found), depth
        if here not in self._known:
            self._known[here] = min(self._counted(found, depth - 1), _MOST_FIELDS)
        return self._known[here]

    def _counted(self, schema: dict[str, Any], depth: int) -> int:
        if properties := cast("dict[str, Any]", schema.get("properties") or {}):
            return sum(self.under(each, depth) for each in properties.values())
        if schema.get("type") == "array" or "items" in schema:
            return _array_length(schema) * self.under(schema.get("items"), depth)
        return 1


def _array_length(schema: dict[str, Any]) -> int:
    fewest = schema.get("minItems", 0)
    most = schema.get("maxItems", max(fewest, _ITEMS_OF_AN_OPEN_ARRAY))
    return int(fewest + min(most, _MOST_FIELDS) + 1) // 2
