"""A lore piece that a client selected and hands in again: untrusted data, quoted in prompts."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, cast

import pydantic_core
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from loresmith.lore.piece import NAME_MAX_LENGTH, PROSE_MAX_LENGTH
from loresmith.lore.quoting import quote, without_controls

DETAILS_MAX_BYTES: Final = 32_000
_PROMPT_MAX_CHARACTERS: Final = 3_000


def _clean(value: Any) -> Any:
    """Return a JSON value whose texts are single lines; anything else is left to the types."""
    if isinstance(value, str):
        return " ".join(without_controls(value).split())
    if isinstance(value, list):
        return [_clean(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {_clean(name): _clean(each) for name, each in cast("dict[str, Any]", value).items()}
    return value


def _clean_text(text: str) -> str:
    line: str = _clean(text)
    if not line:
        raise ValueError("expected at least one visible character")
    return line


def _check_size(details: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(pydantic_core.to_json(details)) > DETAILS_MAX_BYTES:
        raise ValueError(f"details take at most {DETAILS_MAX_BYTES} bytes of JSON")
    return details


# Bounds hold for the text as sent; the cleaned text must not be empty.
_Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_MAX_LENGTH), AfterValidator(_clean_text)]
_Prose = Annotated[str, StringConstraints(min_length=1, max_length=PROSE_MAX_LENGTH), AfterValidator(_clean_text)]
_Details = Annotated[dict[str, JsonValue], Field(max_length=30), AfterValidator(_clean), AfterValidator(_check_size)]


class SelectedPiece(BaseModel, frozen=True):
    """A result of an earlier job, or a piece that a person wrote.

    Control characters become blanks. Unknown members are ignored: a client may send back a result with marks of its
    own.
    """

    model_config = ConfigDict(extra="ignore")

    name: _Name
    description: _Prose
    details: _Details = Field(default_factory=dict[str, JsonValue])
    type: str

    def as_prompt_text(self) -> str:
        """Return the piece as a prompt shows it: its type, its name and its texts, each quoted."""
        texts = " ".join([self.description, *_texts(self.details)])
        return f"{self.type.capitalize()} {quote(self.name, NAME_MAX_LENGTH)}: {quote(texts, _PROMPT_MAX_CHARACTERS)}"


class SelectedCharacter(SelectedPiece, frozen=True):
    """A selected character."""

    type: Literal["character"] = "character"


class SelectedFaction(SelectedPiece, frozen=True):
    """A selected faction."""

    type: Literal["faction"] = "faction"


class SelectedRelic(SelectedPiece, frozen=True):
    """A selected relic."""

    type: Literal["relic"] = "relic"


class SelectedSetting(SelectedPiece, frozen=True):
    """A selected setting."""

    type: Literal["setting"] = "setting"


class SelectedEvent(SelectedPiece, frozen=True):
    """A selected event."""

    type: Literal["event"] = "event"


def _texts(details: dict[str, JsonValue]) -> Iterator[str]:
    for name, value in details.items():
        words = [each for each in value if isinstance(each, str)] if isinstance(value, list) else [value]
        if words and all(isinstance(each, str) for each in words):
            yield f"{name}: {', '.join(cast('list[str]', words))}."
