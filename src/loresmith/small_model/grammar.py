"""JSON schemas that hold a small model to a grammar.

Each string has a `pattern`, which a decoder with grammars obeys letter by letter. A model of 135 million parameters
needs it to end its sentences.
"""

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any, Final

LONGEST_SENTENCE: Final = 230

_VOWELS: Final = "a|e|i|o|u|ai|au|ea|ee|ei|ia|ie|io|oa|oo|ou"
_CONSONANTS: Final = "[bcdfghklmnprstvwxz]|nd|rn|ll|st|th|rd|nn|ss|rt|ck|sh|ch|ld|rl|nt|rk|lk|tt|rr|ng|sk|gr|br|dr|lw"

_PREPOSITION: Final = "(with|in|of|on|against|to|for|through|from|at|about)"
_ARTICLE: Final = "(the|a|an|his|her|their)"
_WORD: Final = "([b-z][a-z]{2,12}|a([a-mo-z][a-z]{1,11}|n[a-ce-z][a-z]{1,10}))"  # anything but "and…"
OBJECT: Final = f"( {_PREPOSITION})?( {_ARTICLE})?( {_WORD}){{1,2}}( {_PREPOSITION}( {_ARTICLE})?( {_WORD}){{1,2}})?"
"""What a deed is about, after its verb: the pattern of a few words without a clause."""
FEW_WORDS: Final = "( [a-z]{1,12}){1,4}"
"""Up to four words; shorter than they could be, since a grammar that forbids short words makes a model glue them."""

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
    return _prose(rf"{opening} {words}(, {words})?[a-z]\.", asks_for)


def short_sentence(opening: str, *, asks_for: str) -> Schema:
    """Return the schema of a sentence of a few words after its opening.

    The bound lies beyond what a small model writes of itself: at a bound it would glue the next word to the last.
    """
    word = "( [A-Za-z][a-z-]{0,13}('s)?)"
    return _prose(rf"{opening}{word}{{1,14}}(,{word}{{2,10}})?\.", asks_for)


def _prose(pattern: str, asks_for: str) -> Schema:
    return {
        "type": "string",
        "description": f"One short sentence: {asks_for}",
        "minLength": 20,
        "maxLength": LONGEST_SENTENCE + 60,
        "pattern": f"^{pattern}$",
    }


def phrase(pattern: str, *, asks_for: str, longest: int) -> Schema:
    """Return the schema of a few words without a full stop."""
    return {
        "type": "string",
        "description": asks_for,
        "minLength": 2,
        "maxLength": longest,
        "pattern": f"^{pattern}$",
    }


def one_of(words: Iterable[str]) -> str:
    """Return the pattern that these words fit, and nothing else."""
    return f"({'|'.join(words)})"


def with_article(noun: str) -> str:
    """Return a noun after its indefinite article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def described(adjectives: Iterable[str], noun: str) -> str:
    """Return the pattern of a noun after its article, with one of the adjectives or none: "A lost key"."""
    return one_of(with_article(each).capitalize() for each in [noun, *(f"{word} {noun}" for word in adjectives)])


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


def title_starting(initial: str, forms: Sequence[str], random: Random) -> Schema:
    """Return the schema of a thing's name in one of some forms, where `{}` is a word of weight.

    That word is the model's, and starts with the letter given.
    """
    pattern = random.choice(forms).format(f"{initial}[a-z]{{3,9}}")
    asks_for = f"A name of two to four words, one of which starts with {initial}"
    return phrase(pattern, asks_for=asks_for, longest=60)
