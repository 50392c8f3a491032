"""How a guided model writes events: events, each with another cause, moment and victims."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from loresmith.lore import Event
from loresmith.small_model.grammar import Schema, one_of, phrase, short_sentence, title_starting, with_article
from loresmith.small_model.item_guide import Example, ItemGuide
from loresmith.small_model.prose import problem_of_title
from loresmith.small_model.selected import name_if_plain
from loresmith.small_model.word_lists import angles
from loresmith.small_model.words import events as vocabulary

STATS = {"years_ago": (1, 500), "severity": (1, 10), "fame": (1, 10)}


@dataclass(frozen=True, slots=True)
class Brief:
    """What one event is asked to be."""

    subject: str
    cause: str
    victims: str
    time: str

    def text(self) -> str:
        """Return the brief as the prompt tells it."""
        return f"Event: {self.subject} {self.time}.\nCause: {self.cause}.\nAffected: {self.victims}."


_EXAMPLES: list[Example[Brief]] = [
    (
        '"a fishing village"',
        Brief("boat race", "a bet", "net makers", "at low tide"),
        {
            "kind": "Boat race",
            "time": "at low tide",
            "description": "At low tide, a boat race ended on the sandbank with nine broken masts.",
            "course": "The two slowest crews rowed home with all the prizes.",
            "name": "The Sandbank Race",
            "cause": "It came from a bet between the baker and the harbour master.",
            "affected": "Forty net makers worked until Easter without pay.",
            "consequence": "Ever since, the baker gives every crew a free loaf.",
        },
    ),
    (
        '"a railway town"',
        Brief("derailment", "a loose bolt", "passengers", "on a Friday"),
        {
            "kind": "Derailment",
            "time": "on a Friday",
            "description": "On a Friday, a derailment put the mail train into the mayor's garden.",
            "course": "Some postmen climbed out and ate the mayor's plums.",
            "name": "The Plum Derailment",
            "cause": "It came from a loose bolt that a boy had sold for sweets.",
            "affected": "All passengers slept in the ballroom for three nights.",
            "consequence": "Ever since, no bolt leaves the town without a stamp.",
        },
    ),
]


class EventGuide(ItemGuide[Event, Brief]):
    """The events of one job: each another happening, with a cause, a moment and victims."""

    model = Event
    noun = "event"
    examples = _EXAMPLES
    sentences = ("description", "course", "cause", "affected", "consequence")
    distinct = sentences
    numbers = STATS
    reads = ("setting",)

    def draw_briefs(self, random: Random, total: int) -> list[Brief]:
        """Return briefs from the lists."""
        kinds = vocabulary.HAPPENINGS.get(self.theme, vocabulary.ANY_HAPPENING)
        drawn = angles(random, total, kinds, vocabulary.CAUSES, vocabulary.VICTIMS, vocabulary.TIMES)
        return [Brief(*angle) for angle in drawn]

    def fields(self, brief: Brief, initial: str, random: Random) -> dict[str, Schema]:
        """Return what the model is asked to write about one event."""
        actors = vocabulary.ACTORS.get(self.theme, vocabulary.ANY_ACTOR)
        began, did, ends = (
            random.sample(verbs, 6) for verbs in (vocabulary.BEGAN, vocabulary.DID, vocabulary.SUFFERED)
        )
        return {
            "kind": phrase(brief.subject.capitalize(), asks_for="The kind of event", longest=60),
            "time": phrase(brief.time, asks_for="The time of day or year", longest=60),
            "description": short_sentence(
                f"{brief.time.capitalize()}, {with_article(brief.subject)}{self._where()} {one_of(began)}",
                asks_for="what happened",
            ),
            "course": short_sentence(
                f"(The|Some|Two) {one_of(random.sample(actors, 4))} {one_of(did)} {vocabulary.WHAT}",
                asks_for="who did what",
            ),
            "name": title_starting(initial, _forms_of_name(brief.subject), random),
            "cause": short_sentence(
                f"It {one_of(random.sample(vocabulary.STARTED, 2))} {brief.cause} {one_of(vocabulary.LINKS)}",
                asks_for="why it happened",
            ),
            "affected": short_sentence(
                f"{one_of(random.sample(vocabulary.MANY, 3))} {brief.victims} {one_of(ends)}", asks_for="who suffered"
            ),
            "consequence": short_sentence(
                f"{one_of(random.sample(vocabulary.SINCE, 2))}, {one_of(random.sample(vocabulary.CHANGED, 4))}",
                asks_for="what came of it",
            ),
        }

    def judge(self, brief: Brief, value: Mapping[str, Any]) -> dict[str, str]:
        """Say what is wrong with the name."""
        problem = problem_of_title(value["name"], self.names_shown() - {*brief.subject.split()})
        return {"name": problem} if problem else {}

    def piece(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return the event; its description is what happened and who did what."""
        same = ("kind", "time", "cause", "course", "affected", "consequence")
        details = {
            **{name: value[name] for name in same},
            "setting": self.selected["setting"].name if "setting" in self.selected else None,
            "stats": {name: value[name] for name in STATS},
        }
        return {"name": value["name"], "description": value["description"], "details": details}

    def _where(self) -> str:
        """Return a pattern that names the selected setting, if its name is one that a sentence can have."""
        name = name_if_plain(self.selected.get("setting"))
        return f" (in|at|near) {name}" if name else ""


def _forms_of_name(happening: str) -> list[str]:
    noun = happening.rsplit(maxsplit=1)[-1].capitalize()
    return [f"The {{}} {noun}", f"{noun} of the {{}}", f"{noun} of {{}}"]
