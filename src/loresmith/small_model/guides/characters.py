"""How a guided model writes characters: people, each with another trade, look and past."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from loresmith.lore import Character
from loresmith.small_model.grammar import OBJECT, Schema, name_starting, one_of, phrase, sentence
from loresmith.small_model.item_guide import Example, ItemGuide
from loresmith.small_model.prose import FUNCTION_WORDS, mentions, problem_of_name, problem_of_phrase, words_of
from loresmith.small_model.word_lists import INITIALS, angles
from loresmith.small_model.words import characters as vocabulary

NOT_IN_A_SKILL = ("and", "or", "who", "that", "which", "he", "she", "is", "was")
DEAD = re.compile(r"\b(was (\w+ )?killed|died|lost (his|her) (own )?life)\b")
NOT_NAMES = {
    word for roles in (*vocabulary.ROLES.values(), vocabulary.ANY_ROLE) for role in roles for word in role.split()
}
STATS = {
    "health": (50, 150),
    "stress": (0, 50),
    **dict.fromkeys(("knowledge", "empathy", "resilience", "creativity", "influence", "perception"), (8, 18)),
}


@dataclass(frozen=True, slots=True)
class Brief:
    """What one character is asked to be."""

    man: bool
    subject: str
    past: str
    look: str

    def text(self) -> str:
        """The brief as the prompt tells it."""
        who, pronoun = ("man", "he") if self.man else ("woman", "she")
        return (
            f"Character: a {who} who is a {self.subject}.\nAppearance: {self.look}.\nBackstory: {pronoun} {self.past}."
        )


_EXAMPLES: list[Example[Brief]] = [
    (
        '"a fishing village"',
        Brief(True, "lighthouse keeper", "lost a boat", "a yellow raincoat"),
        {
            "role": "Lighthouse keeper",
            "virtue": "dutiful",
            "flaw": "grumpy",
            "temper": "silent",
            "description": "A silent, dutiful man who guides the boats home past the rocks.",
            "appearance": "He wears a yellow raincoat, and salt has turned his beard white.",
            "name": "Tomas Reed",
            "backstory": "He lost a boat in a storm, and has kept the lamp burning ever since.",
            "craft": "knotting ropes",
            "training": "rowing boats",
            "talent": "judging tides",
        },
    ),
    (
        '"a railway town"',
        Brief(False, "train driver", "learned from an uncle", "a tin whistle"),
        {
            "role": "Train driver",
            "virtue": "punctual",
            "flaw": "nosy",
            "temper": "merry",
            "description": "A merry woman who knows every mile of the line and all its gossip.",
            "appearance": "She has a tin whistle around her neck, and coal dust up to both elbows.",
            "name": "Nora Finch",
            "backstory": "She learned the trade from an uncle, and drove his engine when he fell.",
            "craft": "oiling engines",
            "training": "shovelling coal",
            "talent": "recalling timetables",
        },
    ),
]


class CharacterGuide(ItemGuide[Character, Brief]):
    """The characters of one job: a man and a woman in turn, each with a trade, a past and a look."""

    model = Character
    noun = "character"
    examples = _EXAMPLES
    sentences = ("description", "appearance", "backstory")
    phrases = tuple(vocabulary.SKILLS)
    numbers = STATS

    def draw_briefs(self, random: Random, total: int) -> list[Brief]:
        """Return briefs from the lists; an item stays a man or a woman when another brief is tried."""
        roles = vocabulary.ROLES.get(self.theme, vocabulary.ANY_ROLE)
        drawn = angles(random, total, roles, vocabulary.PASTS, vocabulary.LOOKS)
        start = random.randrange(2)
        return [Brief((start + index % self.count) % 2 == 0, *angle) for index, angle in enumerate(drawn)]

    def judge(self, brief: Brief, value: Mapping[str, Any]) -> dict[str, str]:
        """Say what is wrong with the person."""
        problems = _problems_of_skills({name: value[name] for name in vocabulary.SKILLS})
        if name := problem_of_name(value["name"], NOT_NAMES | self.names_shown()):
            problems["name"] = name
        of_the_other = vocabulary.OF_A_WOMAN if brief.man else vocabulary.OF_A_MAN
        unfit = {
            "description": of_the_other,
            "appearance": of_the_other,
            "backstory": () if brief.man else vocabulary.BEARD,
        }
        for name, words in unfit.items():
            if mentions(value[name], words):
                problems[name] = f"a man and a woman are confused: {value[name]!r}"
            elif DEAD.search(value[name]):
                problems[name] = f"is dead already: {value[name]!r}"
        return problems

    def piece(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return the character, with traits, skills and stats gathered."""
        details = {
            "role": value["role"].rstrip("."),
            "appearance": value["appearance"],
            "backstory": value["backstory"],
            "traits": [value[name] for name in vocabulary.TRAITS],
            "skills": [_skill(value[name]) for name in vocabulary.SKILLS],
            "stats": {name: value[name] for name in STATS},
        }
        return {"name": value["name"].rstrip("."), "description": value["description"], "details": details}

    def fields(self, brief: Brief, initial: str, random: Random) -> dict[str, Schema]:
        """Return what the model is asked to write about one person."""
        pronoun, who = ("He", "man") if brief.man else ("She", "woman")
        last = random.choice(INITIALS)
        traits = {name: random.sample(words, 12) for name, words in vocabulary.TRAITS.items()}
        virtue, flaw, temper = map(one_of, traits.values())
        nature = f"({virtue}(,? ({flaw}|{temper}))?|{flaw}(,? {temper})?|{temper}(,? {virtue})?)"
        return {
            "role": phrase(brief.subject.capitalize(), asks_for="The trade, one to three words", longest=40),
            **{name: {"enum": words} for name, words in traits.items()},
            "description": sentence(f"An? ({nature} )?({who}|{brief.subject}) (who|with)", asks_for="who this is"),
            "appearance": sentence(f"{pronoun} (has|wears)", asks_for="looks and clothes"),
            "name": name_starting(initial, last, endings="o?" if brief.man else "(i?a|e|i|y|ah|an)"),
            "backstory": sentence(f"{pronoun} {one_of(vocabulary.PAST_VERBS)}", asks_for="the past"),
            **{
                name: phrase(one_of(verbs) + OBJECT, asks_for="Two to four words that name a skill", longest=120)
                for name, verbs in vocabulary.SKILLS.items()
            },
        }


def _problems_of_skills(texts: Mapping[str, str]) -> dict[str, str]:
    problems = {
        name: f"the skill {text!r} {problem}" for name, text in texts.items() if (problem := _problem_of_skill(text))
    }
    first, *others = [set(words_of(text)) - FUNCTION_WORDS for text in texts.values()]
    if not problems and (same := first.intersection(*others)):
        problems = dict.fromkeys(texts, f"the skills are all about {min(same)!r}")
    return problems


def _problem_of_skill(text: str) -> str | None:
    if mentions(text, NOT_IN_A_SKILL):
        return "is no plain skill"
    return problem_of_phrase(text) or ("is too long" if len(text.split()) > 8 else None)


def _skill(text: str) -> str:
    skill = text.rstrip(".").strip()
    return skill[:1].lower() + skill[1:]
