"""Subsets of JSON Schema that providers document, and the choice of one for a model."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydantic_ai.models import Model

_CORE: Final = frozenset(
    [
        "$defs",
        "$ref",
        "additionalProperties",
        "anyOf",
        "const",
        "description",
        "enum",
        "items",
        "prefixItems",
        "properties",
        "required",
        "type",
    ]
)
_RANGES: Final = frozenset(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"])
_COUNTS: Final = frozenset(["minItems", "maxItems"])
_LENGTHS: Final = frozenset(["minLength", "maxLength"])
_WORDS: Final = frozenset(["pattern", "format"])
_REST: Final = frozenset(
    [
        "allOf",
        "contains",
        "default",
        "dependentRequired",
        "dependentSchemas",
        "else",
        "examples",
        "if",
        "maxContains",
        "maxProperties",
        "minContains",
        "minProperties",
        "multipleOf",
        "not",
        "patternProperties",
        "propertyNames",
        "then",
        "title",
        "unevaluatedItems",
        "unevaluatedProperties",
        "uniqueItems",
    ]
)
STANDARD: Final = _CORE | _RANGES | _COUNTS | _LENGTHS | _WORDS | _REST
"""Keywords of JSON Schema 2020-12 that can say something to a model."""

_OPENAI_FORMATS: Final = frozenset(
    ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"]
)
_DECODER_FORMATS: Final = frozenset(["date", "time", "date-time", "uuid"])
_LOOK_AROUND: Final = re.compile(r"\(\?(?!:)")
_PLAIN_PATTERN: Final = re.compile(r"\^(?:[^\\]|\\[.^$\[\]()|{}*+?])*\$")


@dataclass(frozen=True, slots=True)
class Shape:
    """The facts of a schema on which a provider's choice of modes depends."""

    is_open: bool
    """Some object has properties that are not named, or some value may be anything."""
    is_recursive: bool
    has_tuples: bool
    has_composition: bool
    """Some node has `allOf`, `not`, `if` or another keyword that combines schemas in a way other than `anyOf`."""
    optional_properties: int
    union_properties: int

    @property
    def fits_strict(self) -> bool:
        """Whether OpenAI's strict mode can say it without a loss."""
        return not (self.is_open or self.has_tuples or self.has_composition)


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:  # compared by identity: two providers may happen to take the same
    """The part of JSON Schema that a kind of provider takes."""

    keywords: frozenset[str]
    formats: frozenset[str] | None = None
    """None: any."""
    takes_pattern: Callable[[str], bool] = lambda _: True
    lengths_with_pattern: bool = True
    """Whether a string may have both bounds on its length and a pattern or format."""
    takes_truth: bool = True
    """Whether `true` and `false` may be values of an enum."""
    inlines_references: bool = False
    """Whether a reference with a description is replaced by what it refers to."""
    strict: bool = False
    """Whether the provider has a strict mode, in which all properties are required."""
    native: Callable[[Shape], bool] = lambda _: True
    """Whether a schema of this shape can be the format of the answer; else it becomes the input of a tool."""


def _has_no_look_around(pattern: str) -> bool:
    return not _LOOK_AROUND.search(pattern)


def _is_plain_pattern(pattern: str) -> bool:
    """Whether llama.cpp makes a grammar of it: anchored on both sides, without classes such as `\\d`."""
    return bool(_PLAIN_PATTERN.fullmatch(pattern)) and _has_no_look_around(pattern)


def _fits_anthropic(shape: Shape) -> bool:
    return shape.fits_strict and not (
        shape.is_recursive or shape.optional_properties > 24 or shape.union_properties > 16
    )


# The sources of these rules stand in tests/providers, where a checker of each provider holds every request to them.
OPENAI: Final = Dialect(
    _CORE | _RANGES | _COUNTS | _WORDS | {"multipleOf"}, _OPENAI_FORMATS, _has_no_look_around, strict=True
)
NARROW: Final = Dialect(_CORE)
"""Providers of whose subset nothing is known."""
NARROW_STRICT: Final = Dialect(_CORE, strict=True)
"""Azure, and fine-tuned models of OpenAI."""
ANTHROPIC: Final = Dialect(STANDARD - {"default", "title"}, native=_fits_anthropic)
CLAUDE: Final = Dialect(_CORE, native=_fits_anthropic)
"""Claude behind a gateway, without the package that turns limits into notes."""
GOOGLE: Final = Dialect(
    (_CORE - {"const"}) | _COUNTS | {"minimum", "maximum", "format"}, takes_truth=False, inlines_references=True
)
DECODER: Final = Dialect(
    _CORE | _RANGES | _COUNTS | _LENGTHS | _WORDS, _DECODER_FORMATS, _is_plain_pattern, lengths_with_pattern=False
)
"""Servers that make a grammar of the schema: llama.cpp, Ollama, LM Studio, vLLM; and gateways to any other."""
SCRIPTED: Final = Dialect(STANDARD)

_BY_SYSTEM: Final = {
    "openai": OPENAI,
    "azure": NARROW_STRICT,
    "anthropic": ANTHROPIC,
    "google": GOOGLE,
    "google-cloud": GOOGLE,
    "openai-compatible": DECODER,
    "ollama": DECODER,
    "vllm": DECODER,
    "fake": SCRIPTED,
}
_FAMILIES: Final = (
    (re.compile(r"\bgemini-"), GOOGLE),
    (re.compile(r"\bclaude-"), CLAUDE),
    (re.compile(r"\b(?:gpt-\d|chatgpt-|o[134]\b)"), OPENAI),
)
"""Models that a gateway passes on to those who made them, by their names."""


def dialect_for(model: Model) -> Dialect:
    """Return the dialect that the provider of `model` documents; behind a gateway, the maker of the model."""
    if model.system == "openai" and model.model_name.startswith("ft:"):
        return NARROW_STRICT
    known = _BY_SYSTEM.get(model.system, NARROW)
    if known not in (DECODER, NARROW):
        return known
    return next((dialect for name, dialect in _FAMILIES if name.search(model.model_name)), known)
