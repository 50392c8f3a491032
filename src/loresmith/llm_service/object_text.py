"""The JSON object in what a model wrote, which may hold thoughts, prose and fences as well."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, cast

_END_OF_THOUGHTS: Final = re.compile(
    r"</(?:think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad|seed:think)>"
    r"|\[/THINK\]|◁/think▷|<\|END_THINKING\|>|<\|end_of_thought\|>|<\|channel\|>final(?:<\|message\|>)?"
    r"|</?(?:answer|response|output)>",
    re.IGNORECASE,
)
"""Marks after which a model says what it means. The names are those of servers and model families that are in use."""
_FENCE: Final = re.compile(r"```[ \t]*[\w+-]*[ \t]*\r?\n(.*?)(?:```|\Z)", re.DOTALL)
_MOST_STARTS: Final = 200
"""Braces at which no object begins, after which the search ends."""
_DECODER: Final = json.JSONDecoder()


def object_texts(text: str) -> Iterator[str]:
    """Yield the JSON objects in `text`, the likeliest first.

    After the end of thoughts before anywhere, in a fence before elsewhere, the last before those before it. A mark
    within a string of the object is no end of thoughts: then the text as a whole is looked through later.
    """
    if (whole := text.strip()).startswith("{"):
        yield from list(_objects(whole))[:1] if whole.endswith("}") else ()
    ends = [found.end() for found in _END_OF_THOUGHTS.finditer(text)]
    parts = [text[end:] for end in reversed(ends)] + [text]
    seen = set[str]()
    for part in parts[:_MOST_STARTS]:
        fenced = [found for fence in _FENCE.findall(part) for found in _objects(cast("str", fence))]
        for found in (*reversed(fenced), *reversed(list(_objects(part)))):
            if found not in seen:
                seen.add(found)
                yield found


def likeliest_object(text: str, names: set[str]) -> str:
    """Return the object that has most of the properties `names`; where there is none, what follows the first brace."""
    found = list(object_texts(text))
    best = max(found, key=lambda each: len(names & _properties(each)), default="")
    if best and names & _properties(best):
        return best
    ends = [end.end() for end in _END_OF_THOUGHTS.finditer(text)]
    rest = next((text[end:] for end in reversed(ends) if "{" in text[end:]), text)
    return rest[rest.find("{") :] if "{" in rest else ""


def is_json(text: str) -> bool:
    """Whether a text is one whole JSON value."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _objects(text: str) -> Iterator[str]:
    """The balanced objects of `text` that are JSON and lie in no other, in their order."""
    at, misses = text.find("{"), 0
    while at >= 0 and misses < _MOST_STARTS:
        try:
            _, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            misses += 1
            at = text.find("{", at + 1)
        else:
            yield text[at:end]
            at = text.find("{", end)


def _properties(text: str) -> set[str]:
    value: Any = json.loads(text)
    return set(cast("dict[str, object]", value))
