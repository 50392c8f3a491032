"""Check the training data: `python -m training.check_data`. Prints what is wrong, a line each."""

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from loresmith.small_model.prompts import ITEM_FIELDS
from training.examples import KINDS, read_lines

RUN: Final = 8
"""Words in a row that no two lines share."""
LEAST_LINES: Final = {**dict.fromkeys(KINDS, 600), "story": 150}
_LISTS: Final = {"traits": (3, 3), "skills": (3, 3), "methods": (2, 3), "atmosphere": (2, 2), "resources": (2, 3)}
_PHRASES: Final = frozenset(
    ("name", "role", "kind", "reputation", "leader", "symbol", "material", "rarity", "time", "place")
)
_MARKS: Final = re.compile(r'[;"]| - |--')
_PARAGRAPHS: Final = 7


def problems() -> list[str]:
    """Return what is wrong, with the place."""
    found: list[str] = []
    names: dict[tuple[str, str], str] = {}
    runs: dict[str, str] = {}
    for kind in (*KINDS, "story"):
        lines = read_lines(kind)
        if len(lines) < LEAST_LINES[kind]:
            found.append(f"{kind}: {len(lines)} lines, expected at least {LEAST_LINES[kind]}")
        for number, line in enumerate(lines, 1):
            place = f"{kind} {number}"
            wrong = list(_of_story(line) if kind == "story" else _of_item(kind, line))
            name = str(line.get("name") or line.get("title")).casefold()
            if (kind, name) in names:
                wrong.append(f"{name!r} is the name of {names[kind, name]} too")
            names[kind, name] = place
            wrong += _shared(place, line, runs)
            found += [f"{place}: {each}" for each in wrong]
    return found


def _shared(place: str, line: Mapping[str, Any], runs: dict[str, str]) -> Iterator[str]:
    """Say where a line has the words of another; pieces that are given are quoted on purpose."""
    own = {name: value for name, value in line.items() if name not in (*KINDS, "given", "theme")}
    for text in _texts(own):
        words = re.findall(r"[a-z0-9']+", text.casefold())
        for run in {" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}:
            other = runs.setdefault(run, place)
            if other != place:
                yield f"has {run!r} of {other}"


def _of_item(kind: str, line: Mapping[str, Any]) -> Iterator[str]:
    fields = [name for name in line if name not in ("theme", "given")]
    if fields != list(ITEM_FIELDS[kind]):
        yield f"has the fields {fields}, expected {ITEM_FIELDS[kind]}"
        return
    for name in fields:
        yield from _of_field(name, line[name])
    told = " ".join(_texts({name: line[name] for name in fields})).casefold()
    for piece in line.get("given", ()):
        if piece["name"].removeprefix("the ").casefold() not in told:
            yield f"does not mention {piece['name']!r}, which is given"


def _of_field(name: str, value: Any) -> Iterator[str]:
    if name in _LISTS:
        least, most = _LISTS[name]
        if not isinstance(value, list) or not least <= len(value) <= most:  # pyright: ignore[reportUnknownArgumentType]
            yield f"{name}: expected {least} to {most} entries"
    elif not isinstance(value, str) or not value:
        yield f"{name}: expected a text"
    elif name not in _PHRASES and not value.endswith("."):
        yield f"{name}: expected a sentence with a full stop"
    for text in _texts(value):
        yield from _of_text(name, text)


def _of_text(name: str, text: str) -> Iterator[str]:
    if not text.isascii():
        yield f"{name}: expected ASCII: {text!r}"
    if _MARKS.search(text):
        yield f"{name}: no dash, semicolon or double quote: {text!r}"


def _of_story(line: Mapping[str, Any]) -> Iterator[str]:
    paragraphs = [line["opening"], *line["beats"]]
    if len(paragraphs) != _PARAGRAPHS:
        yield f"{len(paragraphs)} paragraphs, expected {_PARAGRAPHS}"
    told = " ".join(paragraphs).casefold()
    for kind in KINDS:
        if line[kind]["name"].casefold() not in told:
            yield f"does not mention the {kind} {line[kind]['name']!r}"
    if list(line["quest"]) != ["title", "description", "stages"] or len(line["quest"]["stages"]) != 3:
        yield "quest: expected title, description and three stages"
    for text in _texts([line["title"], paragraphs, line["quest"]]):
        yield from _of_text("story", text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(cast("Mapping[str, Any]", value).values()))
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from _texts(each)


def main() -> None:
    """Print the problems; the exit code is 1 if there are any."""
    found = problems()
    for problem in found:
        print(problem)
    print(f"{sum(len(read_lines(kind)) for kind in (*KINDS, 'story'))} lines, {len(found)} problems")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
