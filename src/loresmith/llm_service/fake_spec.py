"""The parameters of the fake provider, as written in `fake?seconds=3&tokens=200&seed=1`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

_LONGEST_CALL_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class FakeSpec:
    """What the fake does on each call."""

    seconds: float = 1.0
    """How long a call takes, spread evenly over its tokens."""
    tokens: int = 100
    """Tokens of an answer; each comes as a chunk of its own, as far as the text has characters."""
    seed: int = 0
    """Another seed writes other lore."""
    error_rate: float = 0.0
    """Share of calls that break off half way with status 503."""
    stall_rate: float = 0.0
    """Share of calls that fall silent half way and never end."""
    stream: bool = True
    """`false`: nothing comes before the whole answer."""
    slots: int = 64
    """Calls at once; more wait."""

    @classmethod
    def parse(cls, spec: str) -> FakeSpec:
        """Reads `fake` or `fake?name=value&…`. Raises ValueError that names what is wrong."""
        _, _, query = spec.partition("?")
        given: dict[str, Any] = {}
        for name, text in parse_qsl(query, keep_blank_values=True):
            given[name] = _read(name, text)
        return cls(**given)


def _read(name: str, text: str) -> float:
    if name not in _READERS:
        known = ", ".join(_READERS)
        raise ValueError(f"unknown parameter {name!r} of the fake model: expected one of {known}")
    read, expected = _READERS[name]
    try:
        return read(text)
    except (KeyError, ValueError):
        message = f"parameter {name!r} of the fake model must be {expected}, not {text!r}"
        raise ValueError(message) from None


def _within(value: float, lowest: float, highest: float) -> float:
    if not lowest <= value <= highest:
        raise ValueError(value)
    return value


def _share(text: str) -> float:
    return _within(float(text), 0, 1)


def _positive(text: str) -> float:
    return int(_within(int(text), 1, 1_000_000))


_READERS: Final[dict[str, tuple[Callable[[str], float], str]]] = {
    "seconds": (lambda text: _within(float(text), 0, _LONGEST_CALL_SECONDS), "a number of seconds"),
    "tokens": (_positive, "a positive integer"),
    "seed": (int, "an integer"),
    "error_rate": (_share, "a share from 0 to 1"),
    "stall_rate": (_share, "a share from 0 to 1"),
    "stream": ({"true": True, "false": False}.__getitem__, "true or false"),
    "slots": (_positive, "a positive integer"),
}
