"""How a guided model writes relics: objects, each with another material, origin and price."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, get_args

from loresmith.lore import Relic
from loresmith.lore.relics import Rarity
from loresmith.small_model.grammar import Schema, one_of, phrase, short_sentence, title_starting, with_article
from loresmith.small_model.item_guide import Example, ItemGuide
from loresmith.small_model.prose import problem_of_title
from loresmith.small_model.selected import name_if_plain
from loresmith.small_model.word_lists import angles
from loresmith.small_model.words import relics as vocabulary

STATS = {"power_level": (1, 10), "value": (1, 10), "age_years": (1, 3000)}


@dataclass(frozen=True, slots=True)
class Brief:
    """What one relic is asked to be."""

    subject: str
    material: str
    origin: str
    price: str

    def text(self) -> str:
        """Return the brief as the prompt tells it."""
        return f"Relic: a {self.subject} of {self.material}, {self.origin}.\nPrice of its power: {self.price}."


_EXAMPLES: list[Example[Brief]] = [
    (
        '"a fishing village"',
        Brief("net needle", "whalebone", "washed ashore", "dry feet"),
        {
            "kind": "Net needle",
            "material": "whalebone",
            "rarity": "rare",
            "description": "A whalebone net needle that ties what nobody can undo.",
            "appearance": "It has tooth marks at one end and a thread of red wool.",
            "power": "It ties any two boats together across the bay.",
            "name": "The Drowned Needle",
            "cost": "No sailor who holds it keeps dry feet.",
            "origin": "It came ashore in the belly of a seal.",
            "keeper": "The harbour master wears it behind his ear.",
        },
    ),
    (
        '"a railway town"',
        Brief("whistle", "pewter", "bought from a ghost", "a quiet night"),
        {
            "kind": "Whistle",
            "material": "pewter",
            "rarity": "uncommon",
            "description": "A pewter whistle that slows every train but the last one.",
            "appearance": "It has a dent the size of a thumb.",
            "power": "It delays the clock of any station by one hour.",
            "name": "Whistle of the Quiet Platform",
            "cost": "Its porter never has a quiet night again.",
            "origin": "It came from a ghost in return for a ticket.",
            "keeper": "The porter of platform nine hangs it on a nail.",
        },
    ),
]


class RelicGuide(ItemGuide[Relic, Brief]):
    """The relics of one job: each another object, with a material, an origin and a price."""

    model = Relic
    noun = "relic"
    examples = _EXAMPLES
    sentences = ("description", "appearance", "power", "cost", "origin", "keeper")
    distinct = sentences
    worded = ("name",)
    numbers = STATS
    reads = ("setting", "event")

    def draw_briefs(self, random: Random, total: int) -> list[Brief]:
        """Return briefs from the lists."""
        kinds = vocabulary.OBJECTS.get(self.theme, vocabulary.ANY_OBJECT)
        drawn = angles(random, total, kinds, vocabulary.MATERIALS, vocabulary.ORIGINS, vocabulary.PRICES)
        return [Brief(*angle) for angle in drawn]

    def fields(self, brief: Brief, initial: str, random: Random) -> dict[str, Schema]:
        """Return what the model is asked to write about one relic."""
        keepers = random.sample(vocabulary.KEEPERS.get(self.theme, vocabulary.ANY_KEEPER), 5)
        keeper = one_of(with_article(each).capitalize() for each in keepers)
        gifts = random.sample(vocabulary.GIFTS, 8)
        return {
            "kind": phrase(brief.subject.capitalize(), asks_for="The kind of object", longest=60),
            "material": phrase(brief.material, asks_for="What it is made of", longest=40),
            "rarity": {"enum": random.sample(get_args(Rarity), 3)},
            "description": short_sentence(
                f"{with_article(brief.material).capitalize()} {brief.subject} that {one_of(gifts[:4])}",
                asks_for="what it is",
            ),
            "appearance": short_sentence(f"It {one_of(random.sample(vocabulary.LOOKS, 3))}", asks_for="how it looks"),
            "power": short_sentence(f"It {one_of(gifts[4:])}", asks_for="what it can do"),
            "name": title_starting(initial, _forms_of_name(brief.subject), random),
            "cost": short_sentence(self._price(brief, random), asks_for="what its power takes"),
            "origin": short_sentence(f"It was {brief.origin} {self._when()}", asks_for="where it comes from"),
            "keeper": short_sentence(
                f"{keeper} (keeps|hides|guards|carries|wants to sell) it {self._where()}",
                asks_for="who has it now",
            ),
        }

    def judge(self, brief: Brief, value: Mapping[str, Any]) -> dict[str, str]:
        """Say what is wrong with the name."""
        problem = problem_of_title(value["name"], self.names_shown() - {*brief.subject.split()})
        return {"name": problem} if problem else {}

    def piece(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return the relic, with the names of what was selected."""
        same = ("kind", "material", "rarity", "appearance", "power", "cost", "origin", "keeper")
        details = {
            **{name: value[name] for name in same},
            "setting": self.selected["setting"].name if "setting" in self.selected else None,
            "event": self.selected["event"].name if "event" in self.selected else None,
            "stats": {name: value[name] for name in STATS},
        }
        return {"name": value["name"], "description": value["description"], "details": details}

    def _price(self, brief: Brief, random: Random) -> str:
        takes, when = random.sample(vocabulary.TAKES, 2), random.sample(vocabulary.WHEN, 3)
        return f"(Its owner|Whoever uses it|The one who carries it) {one_of(takes)} {brief.price} {one_of(when)}"

    def _where(self) -> str:
        name = name_if_plain(self.selected.get("setting"))
        return f"(in|at|near) {name}," if name else "(in|under|behind|on|at|for|because|until|from)"

    def _when(self) -> str:
        name = name_if_plain(self.selected.get("event"))
        return f"(during|after|before) {name}," if name else one_of(vocabulary.HOW)


def _forms_of_name(thing: str) -> list[str]:
    noun = thing.rsplit(maxsplit=1)[-1].capitalize()
    return [f"The {{}} {noun}", f"{noun} of the {{}}", f"{noun} of {{}}"]
