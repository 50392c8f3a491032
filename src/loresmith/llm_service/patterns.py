"""Regular expressions of a schema, matched in time that grows with the text alone."""

from __future__ import annotations

from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema


class Pattern:
    """A regular expression; Rust's engine, which pydantic brings, never backtracks.

    Raises ValueError for one that it does not take: no pattern, one that looks around or back, or one too large.
    """

    def __init__(self, text: str) -> None:
        try:
            self._validator = SchemaValidator(core_schema.str_schema(pattern=text, regex_engine="rust-regex"))
        except SchemaError:
            raise ValueError(
                f"pattern {text[:100]!r} cannot be used: it must do without looking around or back"
            ) from None

    def matches(self, text: str) -> bool:
        """Whether it is found in a text."""
        return self._validator.isinstance_python(text)


@lru_cache(maxsize=256)
def pattern(text: str) -> Pattern:
    """The Pattern of `text`, the latest kept."""
    return Pattern(text)
