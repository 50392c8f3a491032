"""Examples of the training data as prompts and answers."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from loresmith.small_model.prompts import ITEM_FIELDS, as_answer, first_letter, item_prompt, story_prompt

DATA: Final = Path(__file__).parent / "data"
KINDS: Final = tuple(ITEM_FIELDS)
HELD_OUT_SHARE: Final = 0.1
TAKEN_SHARE: Final = 0.3
"""Share of the pieces whose prompt names others."""
CONTINUED_SHARE: Final = 0.6
"""Share of the stories that are also shown as the end of a story."""


@dataclass(frozen=True, slots=True)
class Example:
    """What the model is asked, and what it should answer."""

    kind: str
    prompt: str
    answer: str


def read_lines(kind: str) -> list[dict[str, Any]]:
    """Return the lines of one kind (`character`, …, `story`)."""
    name = "stories" if kind == "story" else f"{kind}s"
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def is_held_out(line: dict[str, Any]) -> bool:
    """Return whether a line is kept for the evaluation; it stays so when others are added."""
    name = line.get("name") or line["title"]
    return hashlib.sha256(name.encode()).digest()[0] < 256 * HELD_OUT_SHARE


def find_examples(seed: int, *, held_out: bool = False) -> list[Example]:
    """Return the examples of an epoch; another seed names other pieces as taken and cuts stories elsewhere."""
    random = Random(seed)
    found: list[Example] = []
    for kind in KINDS:
        lines = read_lines(kind)
        names = [line["name"] for line in lines]
        found += [_as_item(kind, line, names, random) for line in lines if is_held_out(line) is held_out]
    for line in read_lines("story"):
        if is_held_out(line) is held_out:
            found += _as_stories(line, random)
    return found


def _as_item(kind: str, line: dict[str, Any], names: list[str], random: Random) -> Example:
    letter = first_letter(line["name"])
    others = [name for name in random.sample(names, 3) if name != line["name"] and first_letter(name) != letter]
    taken = others[: random.randint(1, 3)] if random.random() < TAKEN_SHARE else []
    given = [(piece["type"], piece["name"], piece["description"]) for piece in line.get("given", ())]
    prompt = item_prompt(kind, line["theme"], letter=letter, given=given, taken=taken)
    return Example(kind, prompt, as_answer({name: line[name] for name in ITEM_FIELDS[kind]}))


def _as_stories(line: dict[str, Any], random: Random) -> Iterator[Example]:
    pieces = [(kind, line[kind]["name"], line[kind]["description"]) for kind in KINDS]
    paragraphs = [line["opening"], *line["beats"]]
    quest = line["quest"]

    def answer(rest: list[str]) -> str:
        return as_answer({"title": line["title"], "paragraphs": rest, "quest": quest})

    yield Example("story", story_prompt(line["theme"], pieces), answer(paragraphs))
    if random.random() < CONTINUED_SHARE:
        told = random.randint(1, len(paragraphs) - 1)
        prompt = story_prompt(line["theme"], pieces, paragraphs=paragraphs[:told])
        yield Example("story", prompt, answer(paragraphs[told:]))
