"""The job type `generate_relics`: objects of a theme, each with another material, origin and price."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, get_args

from pydantic import AliasChoices, BaseModel, Field

from loresmith.jobs import JobContext, job_type
from loresmith.llm.items import write_items
from loresmith.llm.kind import Example, Kind
from loresmith.lore import ChosenEvent, ChosenSetting, FewWords, LorePiece, OfTen, Sentence, ThemedItems, treasures
from loresmith.lore.prose import problem_of_title
from loresmith.lore.sketch import Schema, one_of, phrase, short_sentence, title_starting, with_article
from loresmith.lore.wordlist import angles

STATS = {"power_level": (1, 10), "value": (1, 10), "age_years": (1, 3000)}

Rarity = Literal["common", "uncommon", "rare", "legendary", "unique"]


class GenerateRelics(ThemedItems):
    """What `generate_relics` takes."""

    selected_setting: ChosenSetting | None = Field(
        None,
        validation_alias=AliasChoices("selected_setting", "selectedSetting"),
        description="where the relics are kept",
    )
    selected_event: ChosenEvent | None = Field(
        None,
        validation_alias=AliasChoices("selected_event", "selectedEvent"),
        description="what the relics come from",
    )


class RelicStats(BaseModel):
    """How strong, how dear and how old it is."""

    power_level: OfTen
    value: OfTen
    age_years: int = Field(ge=1, le=3000)


class RelicDetails(BaseModel):
    """What a lore piece of type `relic` has beside name and description."""

    kind: FewWords
    material: FewWords
    rarity: Rarity
    appearance: Sentence
    power: Sentence
    cost: Sentence
    origin: Sentence
    keeper: Sentence
    setting: str | None = Field(max_length=60, description="Name of the selected setting")
    event: str | None = Field(max_length=60, description="Name of the selected event")
    stats: RelicStats


class Relic(LorePiece[RelicDetails], frozen=True):
    """An object of the world that somebody would steal."""

    type: Literal["relic"] = "relic"


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


class RelicKind(Kind[Relic, Brief]):
    """The relics of one job: each another object, with a material, an origin and a price."""

    model = Relic
    noun = "relic"
    examples = _EXAMPLES
    sentences = ("description", "appearance", "power", "cost", "origin", "keeper")
    distinct = sentences
    worded = ("name",)
    numbers = STATS

    def __init__(
        self,
        theme: str,
        count: int,
        seed: str,
        setting: ChosenSetting | None = None,
        event: ChosenEvent | None = None,
    ) -> None:
        self._setting, self._event = setting, event
        super().__init__(theme, count, seed, [piece for piece in (setting, event) if piece])

    def draw_briefs(self, random: Random, total: int) -> list[Brief]:
        """Return briefs from the lists."""
        kinds = treasures.OBJECTS.get(self.theme, treasures.ANY_OBJECT)
        drawn = angles(random, total, kinds, treasures.MATERIALS, treasures.ORIGINS, treasures.PRICES)
        return [Brief(*angle) for angle in drawn]

    def fields(self, brief: Brief, initial: str, random: Random) -> dict[str, Schema]:
        """Return what the model is asked to write about one relic."""
        keepers = random.sample(treasures.KEEPERS.get(self.theme, treasures.ANY_KEEPER), 5)
        keeper = one_of(with_article(each).capitalize() for each in keepers)
        gifts = random.sample(treasures.GIFTS, 8)
        return {
            "kind": phrase(brief.subject.capitalize(), asks_for="The kind of object", longest=60),
            "material": phrase(brief.material, asks_for="What it is made of", longest=40),
            "rarity": {"enum": random.sample(get_args(Rarity), 3)},
            "description": short_sentence(
                f"{with_article(brief.material).capitalize()} {brief.subject} that {one_of(gifts[:4])}",
                asks_for="what it is",
            ),
            "appearance": short_sentence(f"It {one_of(random.sample(treasures.LOOKS, 3))}", asks_for="how it looks"),
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
            "setting": self._setting.name if self._setting else None,
            "event": self._event.name if self._event else None,
            "stats": {name: value[name] for name in STATS},
        }
        return {"name": value["name"], "description": value["description"], "details": details}

    def _price(self, brief: Brief, random: Random) -> str:
        takes, when = random.sample(treasures.TAKES, 2), random.sample(treasures.WHEN, 3)
        return f"(Its owner|Whoever uses it|The one who carries it) {one_of(takes)} {brief.price} {one_of(when)}"

    def _where(self) -> str:
        name = self._setting.plain_name() if self._setting else None
        return f"(in|at|near) {name}," if name else "(in|under|behind|on|at|for|because|until|from)"

    def _when(self) -> str:
        name = self._event.plain_name() if self._event else None
        return f"(during|after|before) {name}," if name else one_of(treasures.HOW)


def _forms_of_name(thing: str) -> list[str]:
    noun = thing.rsplit(maxsplit=1)[-1].capitalize()
    return [f"The {{}} {noun}", f"{noun} of the {{}}", f"{noun} of {{}}"]


@job_type(
    "generate_relics",
    description="Relics of a theme, of a selected setting and event if there are any: name, look, power, cost, origin",
    expected_seconds=30,
    item=Relic,
)
async def generate_relics(ctx: JobContext[GenerateRelics]) -> list[Relic]:
    """Write `count` relics that fit the theme and what was selected, and differ from each other."""
    payload = ctx.payload
    kind = RelicKind(
        payload.theme, payload.count, ctx.job_id, setting=payload.selected_setting, event=payload.selected_event
    )
    return await write_items(ctx, kind)
