"""What makes generated prose unfit to be shown: loops, echoes, broken ends, other languages."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from loresmith.small_model.grammar import LONGEST_SENTENCE

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_CLUMSY = re.compile(r"aa|ii|uu|[aeiou]{3}|^.{0,2}$")
_STRANGE = re.compile(
    r"(.)\1\1|[bcdfghjklmnpqrstvwxz]{6}|[bcdfghjklmnpqrstvwxz]{5}$|^[bcdfghjklmnpqrstvwxz]{4}|[jq][bcdfghjklmnpqrstvwxz]"
)
_RUN_TOGETHER = re.compile(r"^(of|on|in|to)the|^the(?!$|y$|y['’]|m|n$|ir|re|se$|ft|or|ol|at|ra|sis)")


def words_of(text: str) -> list[str]:
    """Return the words of a text, in lower case."""
    return [word.lower() for word in _WORD.findall(text)]


FUNCTION_WORDS = frozenset(
    words_of("""
    a an the and or but of in on at to from by for with without as is was are were be been has have
    had he she it they his her its their him them who whose that which this not no into over under
    through after before when where while so than all one
    """)
)
_ENGLISH = FUNCTION_WORDS | frozenset(
    words_of("""
    then some each every any no only will would can could may must do does did what how there here out up down off
    again like just now still never often many more most such if because since until about between behind near
    """)
)
_NEVER_LAST = frozenset(
    words_of("a an the and or but of at from by with without as its their which into than if very ancient own")
)
_ABOUT_THE_TASK = frozenset(
    words_of("fantasy fictional story stories character characters theme json cyberpunk steampunk")
) - {"stories"}
_UNFIT = frozenset(
    words_of("""
    fuck fucking fucked shit bitch bastard cunt whore slut rape raped rapist nigger faggot porn
    penis vagina nude naked sex sexual sexy dick cock pussy nazi hitler
    """)
)

_KILLING = frozenset(words_of("kill kills killed killing murder murdered suicide eat eaten burn burned"))
_NEVER_KILLED = frozenset(words_of("himself herself child children son daughter baby suicide"))
_GLUED = re.compile(r"[a-z]{3}(of|ofthe|the|andthe|inthe)[a-z]{0,2}$")
_WELL_KNOWN = ("frodo", "bilbo", "gandalf", "aragorn", "legolas", "naruto", "pikachu", "hermione", "dumbledor", "snape")
"""How names of other people's stories begin; a small model likes to return them."""


def problems_of_prose(texts: Mapping[str, str], examples: Iterable[str]) -> dict[str, str]:
    """Say what is wrong with the sentences of one item, by field; fields that are fit are not named.

    Each is judged alone, against the examples that the prompt showed, and against those before it.
    """
    shown, told, problems = list(examples), list[str](), dict[str, str]()
    for name, text in texts.items():
        if problem := problem_of_sentence(text) or problem_of_echo(text, shown, 5) or problem_of_echo(text, told, 6):
            problems[name] = f"{name} {problem}: {text!r}"
        else:
            told.append(text)
    return problems


def problem_of_sentence(text: str) -> str | None:
    """Say what is wrong with a sentence that stands alone, None if nothing is."""
    words = words_of(text)
    if not text.endswith((".", "!", "?")) or not text[:1].isupper():
        return "is not a whole sentence"
    if len(text) >= LONGEST_SENTENCE:
        return "is too long"
    if sum(word in _ENGLISH for word in words) < len(words) / 6:
        return "does not read like English"
    if about := _ABOUT_THE_TASK.intersection(words):
        return f"speaks of the task ({min(about)!r})"
    return problem_of_phrase(text) or problem_of_loop(words)


def problem_of_phrase(text: str) -> str | None:
    """Say what is wrong with a few words, None if nothing is."""
    words = words_of(text)
    if not words or words[-1] in _NEVER_LAST or "  " in text:
        return "is unfinished"
    if unfit := _UNFIT.intersection(words):
        return f"has the unfit word {min(unfit)!r}"
    if _KILLING.intersection(words) and _NEVER_KILLED.intersection(words):
        return "is too cruel"
    if strange := [word for word in words if _is_strange(word) or _RUN_TOGETHER.search(word)]:
        return f"has the strange word {strange[0]!r}"
    return None


def problem_of_name(name: str, not_names: Collection[str]) -> str | None:
    """Say why nobody is called that, None if somebody may be."""
    words = words_of(name)
    if taken := [word for word in words if word.startswith(tuple(not_names)) or word in _UNFIT]:
        return f"the name {name!r} has the word {taken[0]!r}"
    if any(word.startswith(_WELL_KNOWN) for word in words):
        return f"the name {name!r} is well known already"
    if any(_is_strange(word) or _CLUMSY.search(word) for word in words):
        return f"the name {name!r} is hard to say"
    return None


def problem_of_title(name: str, not_names: Collection[str]) -> str | None:
    """Say why no thing is called that, None if one may be."""
    words = _heavy(words_of(name))
    if taken := [word for word in words if word in not_names or word in _UNFIT or word in _ABOUT_THE_TASK]:
        return f"the name {name!r} has the word {taken[0]!r}"
    stems = [word.removesuffix("s") for word in words]
    if not stems or any(one in other for at, one in enumerate(stems) for other in stems[:at] + stems[at + 1 :]):
        return f"the name {name!r} says the same twice"
    if (
        any(_is_strange(word) or _GLUED.search(word) or "aa" in word for word in words)
        or words_of(name)[-1] in FUNCTION_WORDS
    ):
        return f"the name {name!r} is hard to say"
    return None


def problem_of_loop(words: Sequence[str]) -> str | None:
    """Say which words come again and again, None if none do."""
    for run, count in Counter([*_ngrams(words, 4), *_ngrams(words, 3), *_ngrams(words, 2)]).items():
        if count > 1 and len(_heavy(run)) > (len(run) < 4):
            return f"repeats {' '.join(run)!r}"
    for word, count in Counter(_heavy(words)).items():
        if count > 2:
            return f"repeats {word!r}"
    for index, word in enumerate(words):
        if word in words[index + 1 : index + 3] and _heavy([word]):
            return f"stutters {word!r}"
    return None


def problem_of_echo(text: str, sources: Iterable[str], size: int) -> str | None:
    """Say which run of words was copied from a source such as the prompt, None if none was."""
    runs = set(_ngrams(words_of(text), size))
    for source in sources:
        if copied := runs.intersection(_ngrams(words_of(source), size)):
            return f"copies {' '.join(min(copied))!r}"
    return None


def mentions(text: str, words: Collection[str]) -> bool:
    """Tell whether a text has one of the words."""
    return not set(words).isdisjoint(words_of(text))


def _ngrams(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + size]) for start in range(len(words) - size + 1)]


def _heavy(words: Iterable[str]) -> list[str]:
    return [word for word in words if word not in FUNCTION_WORDS]


def _is_strange(word: str) -> bool:
    plain = word.replace("'", "").replace("’", "").replace("-", "")
    return bool(_STRANGE.search(plain)) or (len(plain) > 16 and plain == word)
