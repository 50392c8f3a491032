"""The job type `generate_factions`: organisations of a theme, each with another aim, seat and secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from pydantic import BaseModel, Field

from loresmith.jobs import JobContext, job_type
from loresmith.llm.items import write_items
from loresmith.llm.kind import Example, Kind
from loresmith.lore import FewWords, LorePiece, OfTen, Sentence, ThemedItems, factions
from loresmith.lore.prose import problem_of_name, problem_of_title
from loresmith.lore.sketch import FEW_WORDS, Schema, name_starting, one_of, phrase, short_sentence, title_starting
from loresmith.lore.wordlist import INITIALS, angles

STATS = {"members": (10, 5000), "influence": (1, 10), "wealth": (1, 10), "secrecy": (1, 10)}


class GenerateFactions(ThemedItems):
    """What `generate_factions` takes."""


class FactionStats(BaseModel):
    """How large and how strong it is."""

    members: int = Field(ge=10, le=5000)
    influence: OfTen
    wealth: OfTen
    secrecy: OfTen


class FactionDetails(BaseModel):
    """What a lore piece of type `faction` has beside name and description."""

    kind: str = Field(min_length=2, max_length=60)
    reputation: str = Field(min_length=2, max_length=40)
    goal: Sentence
    methods: list[FewWords] = Field(min_length=2, max_length=4)
    leader: str = Field(min_length=2, max_length=80, description="Title and name")
    headquarters: Sentence
    symbol: str = Field(min_length=5, max_length=160)
    secret: Sentence
    stats: FactionStats


class Faction(LorePiece[FactionDetails], frozen=True):
    """An organisation of the world."""

    type: Literal["faction"] = "faction"


@dataclass(frozen=True, slots=True)
class Brief:
    """What one faction is asked to be."""

    subject: str
    aim: str
    seat: str
    emblem: str

    def text(self) -> str:
        """Return the brief as the prompt tells it."""
        return f"Faction: {self.subject}.\nGoal: {self.aim}.\nHeadquarters: {self.seat}.\nSymbol: {self.emblem}."


_EXAMPLES: list[Example[Brief]] = [
    (
        '"a fishing village"',
        Brief("net makers' union", "to keep the trawlers away", "in a tarred shed", "gull"),
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
        Brief("signalmen's lodge", "to run the night trains", "on a disused platform", "lamp"),
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
            "headquarters": "They gather on a disused platform where no train has stopped in years.",
            "symbol": "a green lamp between two rails",
            "secret": "Every lamp they light is a sign for a mail robber.",
        },
    ),
]


class FactionKind(Kind[Faction, Brief]):
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
        kinds = factions.ORGANISATIONS.get(self.theme, factions.ANY_ORGANISATION)
        return [
            Brief(*angle) for angle in angles(random, total, kinds, factions.AIMS, factions.SEATS, factions.EMBLEMS)
        ]

    def fields(self, brief: Brief, initial: str, random: Random) -> dict[str, Schema]:
        """Return what the model is asked to write about one faction."""
        reputes, practices = random.sample(factions.REPUTES, 8), random.sample(factions.PRACTICES, 5)
        first, last = random.sample(INITIALS, 2)
        noun = _noun_of(brief.subject)
        return {
            "kind": phrase(brief.subject.capitalize(), asks_for="The kind of organisation", longest=60),
            "reputation": {"enum": reputes},
            "description": short_sentence(
                f"An? ({one_of(reputes)} )?{noun} that {one_of(practices)}", asks_for="who they are"
            ),
            "goal": short_sentence(
                f"They {one_of(factions.WANTS)} {one_of(factions.AIM_VERBS)}", asks_for="what they want"
            ),
            "name": title_starting(initial, _forms_of_name(noun.capitalize()), random),
            **{
                name: phrase(
                    one_of(random.sample(verbs, 5)) + FEW_WORDS,
                    asks_for="Two to four words that name a deed",
                    longest=120,
                )
                for name, verbs in factions.DOINGS.items()
            },
            "title": {"enum": factions.TITLES.get(self.theme, factions.ANY_TITLE)},
            "leader": name_starting(first, last),
            "headquarters": short_sentence(
                f"They (meet|live|gather|hide|work) {brief.seat}", asks_for="where they meet"
            ),
            "symbol": phrase(
                f"an? {one_of(random.sample(factions.COLOURS, 5))} {brief.emblem} "
                f"(on|over|under|in|between|with|behind) (a|two|three){FEW_WORDS}",
                asks_for="What is on their banner",
                longest=80,
            ),
            "secret": short_sentence(
                f"They {one_of(random.sample(factions.SECRETS, 4))}", asks_for="what nobody else knows"
            ),
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
            "methods": [value[name] for name in factions.DOINGS],
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
    return [f"The {{}} {noun}", f"{noun} of the {{}}", f"{noun} of the {{}} [A-Z][a-z]{{{{3,7}}}}"]


@job_type(
    "generate_factions",
    description="Factions of a theme: name, goal, methods, leader, headquarters, symbol, secret and stats",
    expected_seconds=30,
    item=Faction,
)
async def generate_factions(ctx: JobContext[GenerateFactions]) -> list[Faction]:
    """Write `count` factions that fit the theme and differ from each other."""
    return await write_items(ctx, FactionKind(ctx.payload.theme, ctx.payload.count, ctx.job_id))
