"""The story of a world as a guided model writes it: the cast, the beats, and the checks of the prose."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from loresmith.lore import KINDS, SelectedPiece
from loresmith.lore.quoting import quote
from loresmith.small_model.english import weakness_of
from loresmith.small_model.grammar import LONGEST_SENTENCE, Schema, one_of
from loresmith.small_model.prose import problem_of_echo, problem_of_sentence, words_of
from loresmith.small_model.selected import mask_names

_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
_NEVER_LAST: Final = frozenset(
    words_of("""
    that those would had no were was they he so not other been will could is are has have who where when what be do
    made every seem without within i's their
    """)
)
_FEMALE, _MALE = frozenset(("she", "her", "hers", "woman")), frozenset(("he", "his", "him", "man"))
_NOTE_LENGTH: Final = 220
_BELIEVE: Final = "knows|believes|asks|remembers|speaks|doubts"
_WORD: Final = "( [a-z]{1,14}('s)?)"
_PART_MOST_CHARACTERS: Final = 700


@dataclass(frozen=True, slots=True)
class Cast:
    """One piece of each kind, under names that a story can spell."""

    pieces: Mapping[str, SelectedPiece]

    def name(self, kind: str) -> str:
        """Return the name of a piece without the marks that a quotation in a prompt could not hold."""
        return self.quoted_name(kind).strip('"') or f"the {kind}"

    def quoted_name(self, kind: str) -> str:
        """Return the name as the text of a prompt shows it."""
        return quote(self.pieces[kind].name, 60)

    def within(self, kind: str) -> str:
        """Return the name as it stands inside a sentence."""
        return re.sub(r"^The ", "the ", self.name(kind))

    def note(self, kind: str) -> str:
        """Return what a prompt says of a piece: one quoted line."""
        piece = self.pieces[kind]
        return f"{kind.capitalize()}: {quote(f'{piece.name}: {piece.description}', _NOTE_LENGTH)}"

    @property
    def pronoun(self) -> str:
        """He, She or They, as the words about the character have it."""
        piece = self.pieces["character"]
        told = words_of(f"{piece.description} {' '.join(str(each) for each in piece.details.values())}")
        women, men = (sum(word in words for word in told) for words in (_FEMALE, _MALE))
        return "They" if women == men else "She" if women > men else "He"

    def missing(self, text: str, kinds: Collection[str] = KINDS) -> list[str]:
        """Return the kinds whose names a text does not mention."""
        return [kind for kind in kinds if self.name(kind).casefold() not in text.casefold()]


@dataclass(frozen=True, slots=True)
class Beat:
    """One paragraph to write: what it tells, the names it must mention, and how its three parts may begin."""

    plan: str
    names: Sequence[str]
    openings: Sequence[str]

    def schema(self) -> dict[str, Schema]:
        """Return the three parts of the paragraph, for any model and for one that is held to a grammar."""
        asked = ("The first sentences", "The sentences in the middle", "The last sentences")
        return {
            part: _prose(opening, asks_for) for part, opening, asks_for in zip(PARTS, self.openings, asked, strict=True)
        }


PARTS: Final = ("opening", "middle", "close")
BEATS: Final = 6


def beats(cast: Cast, random: Random) -> list[Beat]:
    """Return the paragraphs of a story of this cast, in order; which first words are offered differs by the seed."""

    def some(words: str) -> str:
        choices = words.split("|")
        return one_of(random.sample(choices, max(3, len(choices) - 2)))

    found = some("found|saw|took|reached|stole|lifted")
    name = {kind: spelled(cast.within(kind)) for kind in KINDS}
    first = {kind: spelled(cast.name(kind)) for kind in KINDS}
    who, he = first["character"], cast.pronoun
    return [
        Beat(
            "Say where the story happens and what it is like there.",
            ["setting"],
            [
                f"In {name['setting']},?",
                some("The|Every|There|At night|Its people|Far below"),
                f"{some('Nobody|Everybody|Hardly anybody|Every child')} {some(_BELIEVE)}",
            ],
        ),
        Beat(
            f"Say who {cast.quoted_name('character')} is, and what {cast.quoted_name('character')} wants.",
            ["character"],
            [
                f"{who} {some('is|was|lived|came|knew|grew')}",
                f"{he} {some('had|kept|knew|never|always|carried')}",
                f"{some('But|Now|Yet|Still')},? {he.lower()} {some('wanted|hoped|feared|dreamed|meant|needed')}",
            ],
        ),
        Beat(
            f"Say what {cast.quoted_name('faction')} do, and why somebody should fear or trust them.",
            ["faction"],
            [
                f"{first['faction']} {some('guard|sell|hold|took|watch|keep|hide|rule|hunt|were')}",
                f"{some('They|But they|Their leaders|All of them')} {some('never|always|want|take|know|swore')}",
                f"{some('Nobody|Everybody|Hardly anybody|Every child')} {some(_BELIEVE)}",
            ],
        ),
        Beat(
            f"Tell how {cast.quoted_name('event')} begins, and what it does to all of them.",
            ["event"],
            [
                f"{some('When|After|Because of|During|Since')} {name['event']}",
                f"{some('The streets|Then the|Nobody|Some|People|The doors')}",
                f"{he} {some('ran|hid|saw|heard|stayed|fought|waited|swore')}",
            ],
        ),
        Beat(
            f"Tell how {cast.quoted_name('character')} comes to {cast.quoted_name('relic')}, and what that costs.",
            ["relic"],
            [
                f"{some('At last|One day|That night|Far away|In the dark')},? {he.lower()} {found} {name['relic']}",
                f"{some('It|But it|Nothing|Its light|Its weight')}",
                f"{he} {some('lost|gave|paid|broke|forgot|left|learned|felt')}",
            ],
        ),
        Beat(
            "Tell how it ends, for those who were named.",
            [],
            [
                f"{some('In the end|At dawn|Years later|When it was over')},? {name['character']}",
                f"{some('The people|The children|Those who stayed|The old ones')}",
                some("And|But|Since then|From then on|Some say"),
            ],
        ),
    ]


def spelled(text: str) -> str:
    """Return a pattern that this text fits, and nothing else."""
    special = {"^": r"\^"}  # in brackets it would negate
    return "".join(
        letter if letter.isalnum() or letter in " '-," else special.get(letter, f"[{letter}]") for letter in text
    )


def _prose(opening: str, asks_for: str) -> Schema:
    return {
        "type": "string",
        "description": f"{asks_for} of the paragraph, one to three",
        "minLength": 20,
        "maxLength": _PART_MOST_CHARACTERS,
        "pattern": rf"^{opening}{_WORD}{{5,14}}(,{_WORD}{{3,9}})?\.$",
    }


def line(opening: str, *, asks_for: str, longest: int) -> Schema:
    """Return the schema of one short sentence of a quest."""
    return {
        "type": "string",
        "description": asks_for,
        "minLength": 10,
        "maxLength": longest,
        "pattern": rf"^{opening}{_WORD}{{3,11}}\.$",
    }


def problem_of_part(text: str, cast: Cast) -> str | None:
    """Say why a part of a paragraph cannot be shown, None if it can."""
    for sentence in _SENTENCE_END.split(_mask_names(text, cast).strip()):
        if problem := _problem_of_sentence(sentence):
            return f"{problem}: {sentence!r}"
    return None


def weakness_of_part(
    text: str, cast: Cast, *, beside: Sequence[str], earlier: Sequence[str], known: Collection[str]
) -> str | None:
    """Say what makes a part poor, though one could show it; None if nothing does.

    It should not say again what the parts `beside` it say, or `earlier` paragraphs; `known` words need no dictionary.
    """
    plain = _mask_names(text, cast)
    told, before = ([_mask_names(each, cast) for each in texts] for texts in (beside, earlier))
    if echo := problem_of_echo(plain, told, 4) or problem_of_echo(plain, before, 5):
        return echo
    sentences = _SENTENCE_END.split(plain.strip())
    return next((weakness for each in sentences if (weakness := weakness_of(each, known))), None)


def _problem_of_sentence(sentence: str) -> str | None:
    words = words_of(sentence)
    if words and words[-1] in _NEVER_LAST:
        return "is unfinished"
    if len(sentence) >= LONGEST_SENTENCE:
        return None if sentence.endswith((".", "!", "?")) else "is not a whole sentence"
    return problem_of_sentence(sentence)


def _mask_names(text: str, cast: Cast) -> str:
    return mask_names(text, ((kind, cast.name(kind)) for kind in KINDS))
