"""The job type `create_world`: one piece of each kind, a story that has them all, a quest, saved as a world."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, RootModel, StringConstraints

from loresmith.db import NewWorld, Piece, Worlds
from loresmith.db import Quest as SavedQuest
from loresmith.job_types.generate_characters import CharacterKind
from loresmith.job_types.generate_events import EventKind
from loresmith.job_types.generate_factions import FactionKind
from loresmith.job_types.generate_relics import RelicKind
from loresmith.job_types.generate_settings import SettingKind
from loresmith.jobs import JobContext, job_type
from loresmith.llm.answer import PART_DONE, Told, Written
from loresmith.llm.items import ItemFlow
from loresmith.llm.kind import Kind
from loresmith.llm.port import GenerationRequest, LoreModel
from loresmith.llm.storyteller import Storyteller
from loresmith.lore import (
    ChosenCharacter,
    ChosenEvent,
    ChosenFaction,
    ChosenPiece,
    ChosenRelic,
    ChosenSetting,
    LorePiece,
    Theme,
)
from loresmith.lore.story import BEATS, KINDS, Cast, Paragraph, Quest, beats

_TOLD_OF_OTHERS: Final = ("event", "relic")
"""What is written after the others: it is told of setting and event, so that it belongs to the same world."""

UserId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]


class SelectedLore(BaseModel):
    """The pieces that were chosen; those that are missing are generated."""

    model_config = ConfigDict(extra="forbid")

    character: ChosenCharacter | None = None
    faction: ChosenFaction | None = None
    setting: ChosenSetting | None = None
    event: ChosenEvent | None = None
    relic: ChosenRelic | None = None


class CreateWorld(BaseModel):
    """What `create_world` takes."""

    model_config = ConfigDict(extra="forbid")

    user_id: UserId | int = Field(validation_alias=AliasChoices("user_id", "userId"))
    theme: Theme
    selected_lore: SelectedLore = Field(
        default_factory=SelectedLore, validation_alias=AliasChoices("selected_lore", "selectedLore")
    )


class WrittenPiece(BaseModel):
    """A piece that was generated, as `items` shows it."""

    name: str
    description: str
    details: dict[str, Any]
    type: Literal["character", "faction", "setting", "event", "relic"]


class WorldItem(RootModel[Annotated[WrittenPiece | Paragraph, Field(discriminator="type")]]):
    """What is finished so far: the pieces that were missing, then the paragraphs of the story."""


class CreatedWorld(BaseModel):
    """The world, as it was saved."""

    world_id: UUID
    title: str
    story: str = Field(description="at least five paragraphs, with an empty line between them")
    quest: Quest
    pieces: list[ChosenPiece] = Field(description="one of each kind")
    warnings: list[str] = Field(description="what the story lacks although it was asked for again")


class MissingPieces:
    """The pieces of one world that nobody chose, as the item flow asks for them."""

    def __init__(self, theme: str, job_id: str, selected: SelectedLore) -> None:
        self.selected = selected
        self.order = [kind for kind in KINDS if getattr(selected, kind) is None]
        self._theme, self._job_id = theme, job_id
        self._kinds: dict[int, Kind[Any, Any]] = {}

    @property
    def pieces(self) -> dict[str, ChosenPiece]:
        """The pieces there are so far, by kind."""
        return {kind: piece for kind in KINDS if (piece := getattr(self.selected, kind)) is not None}

    @property
    def stages(self) -> list[list[int]]:
        """Places in `order` that can be written side by side, then those that are told of them."""
        alone = [place for place, kind in enumerate(self.order) if kind not in _TOLD_OF_OTHERS]
        return [alone, *([place] for place, kind in enumerate(self.order) if kind in _TOLD_OF_OTHERS)]

    def request(self, index: int, attempt: int, avoid: Sequence[str]) -> GenerationRequest:
        """Ask for a piece, told of those that it belongs to."""
        taken = [piece.name for piece in self.pieces.values()]
        request = self._kind(index).request(0, attempt, list(dict.fromkeys([*avoid, *taken])))
        return replace(request, job_id=self._job_id, purpose=f"{self.order[index]}, attempt {attempt + 1}")

    def read(self, index: int, value: Any) -> LorePiece[Any]:
        """Make the piece of what the model wrote. Raises ValueError that says what is wrong."""
        return self._noted(index, self._kind(index).read(0, value))

    def restore(self, index: int, value: Any) -> LorePiece[Any]:
        """Make the piece of its checkpoint."""
        return self._noted(index, self._kind(index).restore(0, value))

    def _noted(self, index: int, piece: LorePiece[Any]) -> LorePiece[Any]:
        made = SelectedLore.model_validate({self.order[index]: piece.model_dump(mode="json")})
        self.selected = self.selected.model_copy(update={self.order[index]: getattr(made, self.order[index])})
        return piece

    def _kind(self, index: int) -> Kind[Any, Any]:
        if index not in self._kinds:
            self._kinds[index] = self._new_kind(self.order[index])
        return self._kinds[index]

    def _new_kind(self, kind: str) -> Kind[Any, Any]:
        theme, seed, selected = self._theme, f"{self._job_id} {kind}", self.selected
        match kind:
            case "character":
                return CharacterKind(theme, 1, seed)
            case "faction":
                return FactionKind(theme, 1, seed)
            case "setting":
                return SettingKind(theme, 1, seed)
            case "event":
                return EventKind(theme, 1, seed, [selected.setting] if selected.setting else [])
            case _:
                return RelicKind(theme, 1, seed, setting=selected.setting, event=selected.event)


@dataclass(frozen=True, slots=True)
class _Making:
    """One run of the job; what an earlier one finished is not made again."""

    ctx: JobContext[CreateWorld]
    missing: MissingPieces

    @property
    def llm(self) -> LoreModel:
        return self.ctx.resource(LoreModel)

    @property
    def _total(self) -> int:
        """Pieces, paragraphs, and the title with the quest."""
        return len(self.missing.order) + BEATS + 1

    async def cast(self) -> Cast:
        """Return one piece of each kind."""
        missing = self.missing
        await self.ctx.compare((await self.llm.capabilities()).model, len(missing.order))
        if missing.order:
            share = len(missing.order) / self._total
            flow = ItemFlow(self.ctx, self.llm, missing, len(missing.order), "Generating what is missing...", share)
            await flow.run(missing.stages)
        return Cast({kind: missing.pieces[kind] for kind in KINDS})

    async def story(self, teller: Storyteller) -> list[str]:
        """Return the paragraphs, each of which clients see as soon as it is written."""
        paragraphs: list[str] = []
        for number, beat in enumerate(beats(teller.cast, Random(f"{self.ctx.job_id} beats"))):
            place = len(self.missing.order) + number
            self._report(place, "Writing the story...")
            if place not in self.ctx.items:
                text = await teller.paragraph(beat, paragraphs, self._told(place))
                self.ctx.reached(place, PART_DONE)
                await self.ctx.save_item(place, Paragraph(text=text))
            paragraphs.append(Paragraph.model_validate(self.ctx.items[place]).text)
        return paragraphs

    async def title_and_quest(self, teller: Storyteller, paragraphs: Sequence[str]) -> "_Heading":
        """Return what is made of the finished story."""
        self._report(self._total - 1, "Finding a title and a quest...")

        async def write() -> _Heading:
            at = self._total - 1
            title, quest = await teller.title_and_quest(paragraphs, self._told(at))
            self.ctx.reached(at, PART_DONE)
            return _Heading(title=title, quest=quest)

        return await self.ctx.step("title and quest", write, _Heading)

    def _told(self, place: int) -> Told:
        def told(written: Written) -> None:
            self.ctx.reached(place, written.mark)
            self._report(place + written.share)

        return told

    def _report(self, done: float, message: str | None = None) -> None:
        self.ctx.report(done / self._total, message)


class _Heading(BaseModel):
    title: str
    quest: Quest


class _Saved(BaseModel):
    world_id: UUID


@job_type(
    "create_world",
    description="A world: one piece of each kind, a story that has them all, and a quest; saved to the database",
    expected_seconds=120,
    item=WorldItem,
)
async def create_world(ctx: JobContext[CreateWorld]) -> CreatedWorld:
    """Generate what was not chosen, tell the story of all of it, and save the world."""
    making = _Making(ctx, MissingPieces(ctx.payload.theme, ctx.job_id, ctx.payload.selected_lore))
    cast = await making.cast()
    teller = Storyteller(ctx, making.llm, ctx.payload.theme, cast)
    paragraphs = await making.story(teller)
    heading = await making.title_and_quest(teller, paragraphs)
    ctx.finalizing("Saving the world...")
    saved = await ctx.step("save", lambda: _save(ctx, cast, paragraphs, heading), _Saved)
    story = "\n\n".join(paragraphs)
    return CreatedWorld(
        world_id=saved.world_id,
        title=heading.title,
        story=story,
        quest=heading.quest,
        pieces=[cast.pieces[kind] for kind in KINDS],
        warnings=[f"the story does not mention the {kind} {cast.name(kind)!r}" for kind in cast.missing(story)],
    )


async def _save(ctx: JobContext[CreateWorld], cast: Cast, paragraphs: Sequence[str], heading: _Heading) -> _Saved:
    """Save the world; once for all jobs that are retries of one."""
    new = NewWorld(
        root_job_id=ctx.root_job_id,
        job_id=ctx.job_id,
        owner=ctx.owner,
        user_id=str(ctx.payload.user_id),
        theme=ctx.payload.theme,
        title=heading.title,
        paragraphs=paragraphs,
        quest=SavedQuest(**heading.quest.model_dump()),
        pieces=[
            Piece(kind=kind, name=piece.name, description=piece.description, details=piece.details)
            for kind, piece in cast.pieces.items()
        ],
    )
    world = await ctx.resource(Worlds).save(new)
    return _Saved(world_id=UUID(world.id))
