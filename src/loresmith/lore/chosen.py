"""A lore piece that a client chose and hands in again: data of strangers, told to a model and never obeyed."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

import pydantic_core
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from loresmith.lore.quoting import quoted, without_controls

DETAILS_MAX_LENGTH = 4000
TOLD_MAX_LENGTH = 400
"""Characters of a chosen piece that a prompt shows: a small model reads two of them beside the examples."""

_STAND_INS = {"character": "Ruth", "faction": "Guild", "setting": "Valley", "event": "Feast", "relic": "Jewel"}
_PLAIN = re.compile("[A-Za-z]+(['-]?[A-Za-z]+)*( [A-Za-z]+(['-]?[A-Za-z]+)*)*")


def _cleaned(value: Any) -> Any:
    """Return a JSON value whose texts are single lines; anything else is left to the types."""
    if isinstance(value, str):
        return " ".join(without_controls(value).split())
    if isinstance(value, list):
        return [_cleaned(each) for each in value]  # pyright: ignore[reportUnknownVariableType] - JSON
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(each) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType] - JSON
    return value


def _readable(least: int) -> Callable[[str], str]:
    def cleaned(text: str) -> str:
        line: str = _cleaned(text)
        if len(line) < least:
            raise ValueError(f"expected at least {least} characters that can be read")
        return line

    return cleaned


def _bounded(details: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(pydantic_core.to_json(details)) > DETAILS_MAX_LENGTH:
        raise ValueError(f"details take at most {DETAILS_MAX_LENGTH} bytes of JSON")
    return details


# Bounds hold for what was sent, as the document says, and a text must still be one when it is cleaned.
_Name = Annotated[str, StringConstraints(min_length=2, max_length=60), AfterValidator(_readable(2))]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=600), AfterValidator(_readable(1))]
_Details = Annotated[dict[str, JsonValue], Field(max_length=30), AfterValidator(_cleaned), AfterValidator(_bounded)]


class ChosenPiece(BaseModel, frozen=True):
    """What a job made, or what a person wrote in its place.

    Control characters become blanks. Members it does not know are ignored: a client may send back what it
    keeps of a result, with marks of its own.
    """

    model_config = ConfigDict(extra="ignore")

    name: _Name
    description: _Text
    details: _Details = Field(default_factory=dict[str, JsonValue])
    type: str

    def told(self) -> str:
        """Return the piece as a prompt names it: one quoted line of bounded length."""
        sentences = " ".join(_sentences(self.details))
        return quoted(f"{self.name}: {self.description} {sentences}", TOLD_MAX_LENGTH)

    def plain_name(self) -> str | None:
        """Return the name if it is made of letters only, so that a pattern may have it; None for any other."""
        return self.name if _PLAIN.fullmatch(self.name) else None


class ChosenCharacter(ChosenPiece, frozen=True):
    """A character that was chosen."""

    type: Literal["character"] = "character"


class ChosenFaction(ChosenPiece, frozen=True):
    """A faction that was chosen."""

    type: Literal["faction"] = "faction"


class ChosenRelic(ChosenPiece, frozen=True):
    """A relic that was chosen."""

    type: Literal["relic"] = "relic"


class ChosenSetting(ChosenPiece, frozen=True):
    """A setting that was chosen."""

    type: Literal["setting"] = "setting"


class ChosenEvent(ChosenPiece, frozen=True):
    """An event that was chosen."""

    type: Literal["event"] = "event"


def _sentences(details: Mapping[str, JsonValue]) -> Iterator[str]:
    for value in details.values():
        if isinstance(value, str) and value.endswith((".", "!", "?")):
            yield value


def without_names(text: str, names: Iterable[tuple[str, str]]) -> str:
    """Return a text with a plain word for each name of a type of piece, to be judged as prose.

    Names are strangers' or made up, they are asked for, and they come more than once.
    """
    for kind, name in names:
        text = naming([name]).sub(_STAND_INS.get(kind, "Arden"), text)
    return text


def naming(names: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of names, in capitals or not; a short one is none within a word."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(name) for name in names)})(?!\w)", re.IGNORECASE)
