"""How a JSON schema asks for prose: plain limits for every model, a grammar for small ones.

Each string has the limits that any model keeps to (`maxLength`, `description`) and may carry
`x-pattern`, a regular expression that only a decoder which obeys grammars is held to. A model of
135 million parameters needs that crutch to end its sentences; a large one would be hurt by it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

DECODING_PATTERN: Final = "x-pattern"
LONGEST_SENTENCE: Final = 230

_VOWELS: Final = "a|e|i|o|u|ai|au|ea|ee|ei|ia|ie|io|oa|oo|ou"
_CONSONANTS: Final = "[bcdfghklmnprstvwxz]|nd|rn|ll|st|th|rd|nn|ss|rt|ck|sh|ch|ld|rl|nt|rk|lk|tt|rr|ng|sk|gr|br|dr|lw"

Schema = dict[str, Any]


def whole(properties: Mapping[str, Schema]) -> Schema:
    """Return the schema of an object with exactly these properties, in this order."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def sentence(opening: str, *, asks_for: str) -> Schema:
    """Return the schema of one sentence; `opening` is a pattern that its first words follow.

    The grammar allows one comma: where a small model may go on with "and he was", it does.
    """
    words = f"[A-Za-z '-]{{10,{LONGEST_SENTENCE // 2}}}"
    return {
        "type": "string",
        "description": f"One short sentence: {asks_for}",
        "minLength": 20,
        "maxLength": LONGEST_SENTENCE + 60,
        DECODING_PATTERN: rf"^{opening} {words}(, {words})?[a-z]\.$",
    }


def phrase(pattern: str, *, asks_for: str, longest: int) -> Schema:
    """Return the schema of a few words without a full stop."""
    return {
        "type": "string",
        "description": asks_for,
        "minLength": 2,
        "maxLength": longest,
        DECODING_PATTERN: f"^{pattern}$",
    }


def one_of(words: Iterable[str]) -> str:
    """Return the pattern that these words fit, and nothing else."""
    return f"({'|'.join(words)})"


def number(lowest: int, highest: int) -> Schema:
    """Return the schema of an integer within bounds."""
    return {"type": "integer", "minimum": lowest, "maximum": highest}


def name_starting(first: str, last: str, *, endings: str = "[aeiouy]?") -> Schema:
    """Return the schema of a first and a last name, each starting with a letter given.

    The letters, drawn anew for each item, are what makes names differ between concurrent calls;
    the pattern keeps them pronounceable, `endings` is how the first may end. The names themselves
    are the model's.
    """
    start, middle = "[hlrwy]?", f"(({_VOWELS})({_CONSONANTS}))"
    pattern = f"{first}{start}{middle}{{1,2}}{endings} {last}{start}{middle}{{1,3}}(a|e|i|o|y|ia|io|ie|ea)?"
    asks_for = f"First name starting with {first}, last name starting with {last}"
    return phrase(pattern, asks_for=asks_for, longest=60)
