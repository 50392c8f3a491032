"""How a guided model writes factions: organisations, each with another aim, seat and secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from loresmith.lore import Faction
from loresmith.small_model.grammar import (
    FEW_WORDS,
    Schema,
    described,
    name_starting,
    one_of,
    phrase,
    short_sentence,
    title_starting,
)
from loresmith.small_model.item_guide import Example, ItemGuide
from loresmith.small_model.prose import problem_of_name, problem_of_title
from loresmith.small_model.word_lists import INITIALS, angles
from loresmith.small_model.words import factions as vocabulary

STATS = {"members": (10, 5000), "influence": (1, 10), "wealth": (1, 10), "secrecy": (1, 10)}


@dataclass(frozen=True, slots=True)
class Brief:
    """What one faction is asked to be."""

    subject: str
    aim: str
    seat: str
    emblem: str
    secret: str

    def text(self) -> str:
        """Return the brief as the prompt tells it."""
        return (
            f"Faction: {self.subject}.\nGoal: {self.aim}.\nHeadquarters: {self.seat}.\nSymbol: {self.emblem}.\n"
            f"Secret: they {self.secret} somebody or something."
        )


_EXAMPLES: list[Example[Brief]] = [
    (
        '"a fishing village"',
        Brief("net makers' union", "to keep the trawlers away", "in a tarred shed", "gull", "sank"),
        {
            "kind": "Net makers' union",
            "reputation": "dogged",
            "description": "A dogged union that settles who may fish in the bay and who may not.",
            "goal": "They want to keep the big trawlers away until the herring return.",
            "name": "The Tarred Union",
            "method": "loosening rudders",
            "scheme": "raising harbour fees",
            "title": "Speaker",
            "leader": "Edda Quill",
            "headquarters": "They meet in a tarred shed behind the church.",
            "symbol": "a white gull over a black knot",
            "secret": "Last winter they sank a trawler and called it a storm.",
        },
    ),
    (
        '"a railway town"',
        Brief("signalmen's lodge", "to run the night trains", "on a disused platform", "lamp", "send signs to"),
        {
            "kind": "Signalmen's lodge",
            "reputation": "punctual",
            "description": "A punctual lodge that tells every driver when to stop.",
            "goal": "They plan to run the night trains without telling the company.",
            "name": "Lodge of the Green Lamp",
            "method": "switching points",
            "scheme": "copying timetables",
            "title": "Inspector",
            "leader": "Owen Platt",
            "headquarters": "They gather on a disused platform behind the water tower.",
            "symbol": "a green lamp between two rails",
            "secret": "Every lamp they light is a sign for a mail robber.",
        },
    ),
]


class FactionGuide(ItemGuide[Faction, Brief]):
    """The factions of one job: each another organisation, with an aim and a seat."""

    model = Faction
    noun = "faction"
    examples = _EXAMPLES
    sentences = ("description", "goal", "headquarters", "secret")
    phrases = ("method", "scheme", "symbol")
    distinct = sentences
    worded = ("name",)
    numbers = STATS

    def draw_briefs(self, random: Random, total: int) -> list[Brief]:
        """Return briefs from the lists."""
        kinds = vocabulary.ORGANISATIONS.get(self.theme, vocabulary.ANY_ORGANISATION)
        others = (vocabulary.AIMS, vocabulary.SEATS, vocabulary.EMBLEMS, vocabulary.SECRETS)
        return [Brief(*angle) for angle in angles(random, total, kinds, *others)]

    def fields(self, brief: Brief, initial: str, random: Random) -> dict[str, Schema]:
        """Return what the model is asked to write about one faction."""
        reputes, practices = random.sample(vocabulary.REPUTES, 8), random.sample(vocabulary.PRACTICES, 5)
        first, last = random.sample(INITIALS, 2)
        noun = _noun_of(brief.subject)
        return {
            "kind": phrase(brief.subject.capitalize(), asks_for="The kind of organisation", longest=60),
            "reputation": {"enum": reputes},
            "description": short_sentence(
                f"{described(reputes, noun)} that {one_of(practices)}", asks_for="who they are"
            ),
            "goal": short_sentence(
                f"They {one_of(vocabulary.WANTS)} {one_of(vocabulary.AIM_VERBS)}", asks_for="what they want"
            ),
            "name": title_starting(initial, _forms_of_name(noun.capitalize()), random),
            **{
                name: phrase(
                    one_of(random.sample(verbs, 5)) + FEW_WORDS,
                    asks_for="Two to four words that name a deed",
                    longest=120,
                )
                for name, verbs in vocabulary.DOINGS.items()
            },
            "title": {"enum": vocabulary.TITLES.get(self.theme, vocabulary.ANY_TITLE)},
            "leader": name_starting(first, last),
            "headquarters": short_sentence(
                f"They (meet|live|gather|hide|work) {brief.seat}", asks_for="where they meet"
            ),
            "symbol": phrase(
                f"an? {one_of(random.sample(vocabulary.COLOURS, 5))} {brief.emblem} "
                f"(on|over|under|in|between|with|behind) (a|two|three){FEW_WORDS}",
                asks_for="What is on their banner",
                longest=80,
            ),
            "secret": short_sentence(f"They {brief.secret}", asks_for="what nobody else knows"),
        }

    def judge(self, brief: Brief, value: Mapping[str, Any]) -> dict[str, str]:
        """Say what is wrong with the faction beside its prose."""
        noun = _noun_of(brief.subject)
        if problem := problem_of_title(value["name"], self.names_shown() - {noun}):
            return {"name": problem}
        if problem := problem_of_name(value["leader"], self.names_shown()):
            return {"leader": problem}
        return {}

    def piece(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return the faction, with leader, methods and numbers gathered."""
        details = {
            "kind": value["kind"],
            "reputation": value["reputation"],
            "goal": value["goal"],
            "methods": [value[name] for name in vocabulary.DOINGS],
            "leader": f"{value['title']} {value['leader']}",
            "headquarters": value["headquarters"],
            "symbol": value["symbol"],
            "secret": value["secret"],
            "stats": {name: value[name] for name in STATS},
        }
        return {"name": value["name"], "description": value["description"], "details": details}


def _noun_of(kind: str) -> str:
    """Return the word that an organisation is called by: the circle of seers a circle, the rune cult a cult."""
    return kind.split(" of ", maxsplit=1)[0].rsplit(maxsplit=1)[-1]


def _forms_of_name(noun: str) -> list[str]:
    return [f"The {{}} {noun}", f"{noun} of the {{}}"]
