"""How a guided model writes settings: places, each with another landmark, danger and secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from loresmith.lore import Setting
from loresmith.small_model.grammar import Schema, described, one_of, phrase, short_sentence, title_starting
from loresmith.small_model.item_guide import Example, ItemGuide
from loresmith.small_model.prose import problem_of_title
from loresmith.small_model.word_lists import angles
from loresmith.small_model.words import settings as vocabulary

STATS = {"population": (20, 50_000), "danger_level": (1, 10), "wealth": (1, 10), "age_years": (1, 2000)}


@dataclass(frozen=True, slots=True)
class Brief:
    """What one setting is asked to be."""

    subject: str
    landmark: str
    danger: str
    secret: str

    def text(self) -> str:
        """Return the brief as the prompt tells it."""
        return f"Place: {self.subject}.\nLandmark: {self.landmark}.\nDanger: {self.danger}.\nSecret: {self.secret}."


_EXAMPLES: list[Example[Brief]] = [
    (
        '"a circus on the road"',
        Brief("wagon camp", "a striped mast", "jealous acrobats", "the real director"),
        {
            "kind": "Wagon camp",
            "mood": "cheerful",
            "description": "A cheerful wagon camp where clowns sleep until noon.",
            "air": "muddy",
            "landmark": "Over the tents hangs a striped mast with a torn flag.",
            "name": "The Sawdust Camp",
            "inhabitants": "Its people train dogs and argue about money.",
            "danger": "On Sundays, jealous acrobats loosen the ropes.",
            "first": "apples",
            "second": "trumpets",
            "secret": "In the lion's cage snores the real director of the show.",
        },
    ),
    (
        '"a school in the hills"',
        Brief("boarding school", "an old elm", "strict teachers", "another clock"),
        {
            "kind": "Boarding school",
            "mood": "drowsy",
            "description": "A drowsy boarding school that nobody has left for ten years.",
            "air": "chalky",
            "landmark": "Next to the stables grows an old elm full of carved names.",
            "name": "Elmhurst School",
            "inhabitants": "Its people copy maps by candlelight.",
            "danger": "Before exams, strict teachers search every bag.",
            "first": "chalk",
            "second": "atlases",
            "secret": "Above the chapel ticks another clock that runs backwards.",
        },
    ),
]


class SettingGuide(ItemGuide[Setting, Brief]):
    """The settings of one job: each another place, with a landmark and a danger."""

    model = Setting
    noun = "setting"
    examples = _EXAMPLES
    sentences = ("description", "landmark", "inhabitants", "danger", "secret")
    distinct = sentences
    numbers = STATS

    def draw_briefs(self, random: Random, total: int) -> list[Brief]:
        """Return briefs from the lists."""
        kinds = vocabulary.PLACES.get(self.theme, vocabulary.ANY_PLACE)
        return [
            Brief(*angle)
            for angle in angles(random, total, kinds, vocabulary.LANDMARKS, vocabulary.DANGERS, vocabulary.SECRETS)
        ]

    def fields(self, brief: Brief, initial: str, random: Random) -> dict[str, Schema]:
        """Return what the model is asked to write about one place."""
        moods = random.sample(vocabulary.MOODS, 12)
        goods = random.sample(vocabulary.GOODS.get(self.theme, vocabulary.ANY_GOODS), 16)
        where, links = random.sample(vocabulary.WHERE, 3), random.sample(vocabulary.LINKS, 3)
        lives, hidden = random.sample(vocabulary.LIVES, 6), random.sample(vocabulary.HIDDEN, 3)
        return {
            "kind": phrase(brief.subject.capitalize(), asks_for="The kind of place", longest=60),
            "mood": {"enum": moods[:6]},
            "description": short_sentence(
                f"{described(moods[:6], brief.subject)} (where|that|{one_of(vocabulary.BUILT)})", asks_for="what it is"
            ),
            "air": {"enum": moods[6:]},
            "landmark": short_sentence(
                f"{one_of(where)} {one_of(vocabulary.STANDS)} {brief.landmark} {one_of(links)}",
                asks_for="what everybody sees first",
            ),
            "name": title_starting(initial, _forms_of_name(brief.subject), random),
            "inhabitants": short_sentence(f"Its people {one_of(lives)}", asks_for="who lives there and what they do"),
            "danger": short_sentence(
                f"{one_of(vocabulary.FEARS)}, {brief.danger} {one_of(vocabulary.HARMS)}",
                asks_for="what to be afraid of",
            ),
            "first": {"enum": goods[:8]},
            "second": {"enum": goods[8:]},
            "secret": short_sentence(
                f"{one_of(hidden)} (lies|is|waits) {brief.secret} {one_of(vocabulary.OF_SECRETS)}",
                asks_for="what nobody is told",
            ),
        }

    def judge(self, brief: Brief, value: Mapping[str, Any]) -> dict[str, str]:
        """Say what is wrong with the name."""
        problem = problem_of_title(value["name"], self.names_shown() - {*brief.subject.split()})
        return {"name": problem} if problem else {}

    def piece(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return the setting, with atmosphere and numbers gathered."""
        same = ("kind", "landmark", "inhabitants", "danger", "secret")
        details = {
            **{name: value[name] for name in same},
            "resources": [value["first"], value["second"]],
            "atmosphere": [value["mood"], value["air"]],
            "stats": {name: value[name] for name in STATS},
        }
        return {"name": value["name"], "description": value["description"], "details": details}


def _forms_of_name(place: str) -> list[str]:
    noun = place.rsplit(maxsplit=1)[-1].capitalize()
    return [f"The {{}} {noun}", f"{{}} {noun}", f"{noun} of the {{}}"]
