"""The job type `create_world`: one piece of each kind, a story that brings them together, a quest; saved as a world."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints

from loresmith.db import NewWorld, Piece, Worlds
from loresmith.db import Quest as SavedQuest
from loresmith.generation import Concept, gather_or_cancel, generate, generate_streamed, is_guided, plan, with_plan
from loresmith.jobs import JobContext, job_type
from loresmith.lore import (
    KINDS,
    Character,
    Event,
    Faction,
    LorePiece,
    LorePrompt,
    Paragraph,
    Quest,
    Relic,
    SelectedCharacter,
    SelectedEvent,
    SelectedFaction,
    SelectedPiece,
    SelectedRelic,
    SelectedSetting,
    Setting,
    Story,
    Theme,
    find_unmentioned,
    quote,
)

_MODELS: Final[Mapping[str, type[LorePiece[Any]]]] = {
    "character": Character,
    "faction": Faction,
    "setting": Setting,
    "event": Event,
    "relic": Relic,
}
_GUIDED_STAGES: Final = (("character", "faction", "setting"), ("event",), ("relic",))
"""A guided model has no plan: its event is told the setting, and its relic both."""
_FIRST_MENTION: Final = {"setting": 0.0, "character": 0.0, "faction": 0.25, "event": 0.5, "relic": 0.75}
"""The paragraph, as a fraction of the story, that has to mention a piece that none mentions."""
_PIECES_MESSAGE: Final = "Generating what is missing..."
_STORY_SHARE: Final = 0.5
_STORY_TOKENS: Final = 8_000
_PIECE_TOKENS: Final = 2_000
_PARAGRAPH_TOKENS: Final = 1_500

UserId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]


class SelectedLore(BaseModel):
    """The pieces that were selected; those that are missing are generated."""

    model_config = ConfigDict(extra="forbid")

    character: SelectedCharacter | None = None
    faction: SelectedFaction | None = None
    setting: SelectedSetting | None = None
    event: SelectedEvent | None = None
    relic: SelectedRelic | None = None


class CreateWorld(BaseModel):
    """The payload of `create_world`."""

    model_config = ConfigDict(extra="forbid")

    user_id: UserId | int = Field(validation_alias=AliasChoices("user_id", "userId"))
    theme: Theme
    selected_lore: SelectedLore = Field(
        default_factory=SelectedLore, validation_alias=AliasChoices("selected_lore", "selectedLore")
    )


class WrittenPiece(BaseModel):
    """A generated piece, as `items` shows it."""

    name: str
    description: str
    details: dict[str, Any]
    type: Literal["character", "faction", "setting", "event", "relic"]


WorldItem = Annotated[WrittenPiece | Paragraph, Field(discriminator="type")]
"""The items: the pieces that were missing, then the paragraphs of the story."""


class CreatedWorld(BaseModel):
    """The world, as it was saved."""

    world_id: UUID
    title: str
    story: str = Field(description="At least five paragraphs, with an empty line between them")
    quest: Quest
    pieces: list[SelectedPiece] = Field(description="One of each kind")
    warnings: list[str] = Field(description="Pieces that the story does not mention, even after a repair")


class _Saved(BaseModel):
    world_id: UUID


@job_type("create_world", expected_seconds=120)
async def create_world(ctx: JobContext[CreateWorld, WorldItem]) -> CreatedWorld:
    """Generate a world: one piece of each kind, a story of all of them and a quest; saved to the database."""
    pieces = await _complete_pieces(ctx)
    story = await _write_story(ctx, pieces)
    ctx.finalizing("Saving the world...")
    saved = await ctx.step("save", partial(_save, ctx, pieces, story), _Saved)
    text = "\n\n".join(story.paragraphs)
    unmentioned = find_unmentioned(pieces, text)
    return CreatedWorld(
        world_id=saved.world_id,
        title=story.title,
        story=text,
        quest=story.quest,
        pieces=list(pieces),
        warnings=[f"the story does not mention the {each.type} {each.name!r}" for each in unmentioned],
    )


async def _complete_pieces(ctx: JobContext[CreateWorld, WorldItem]) -> Sequence[SelectedPiece]:
    """Return one piece of each kind; those that nobody selected are planned together, then written side by side."""
    pieces = _Pieces(ctx)
    if len(pieces.missing) > 1 and not await is_guided(ctx):
        await pieces.plan()
    stages = _GUIDED_STAGES if await is_guided(ctx) else (KINDS,)
    for stage in stages:
        await gather_or_cancel([partial(pieces.write, kind) for kind in stage if kind in pieces.missing])
    return pieces.all()


class _Pieces:
    """The pieces of a world that is being made."""

    def __init__(self, ctx: JobContext[CreateWorld, WorldItem]) -> None:
        self._ctx, self._selected = ctx, ctx.payload.selected_lore
        self._there: dict[str, SelectedPiece] = {
            kind: piece for kind in KINDS if (piece := getattr(self._selected, kind)) is not None
        }
        self.missing = [kind for kind in KINDS if kind not in self._there]
        self._concepts: dict[str, Concept] = {}

    async def plan(self) -> None:
        """Find a concept for each missing piece, so that they can be written at once and still know each other."""
        concepts = await plan(
            self._ctx, self.missing, self._prompt("Create the pieces of one world."), message=_PIECES_MESSAGE
        )
        self._concepts = dict(zip(self.missing, concepts, strict=True))

    async def write(self, kind: str) -> None:
        """Write one piece; it is an item of the job."""
        task = self._prompt(f"Create the {kind} of this world: it belongs together with the others.")
        prompt = with_plan(task, list(self._concepts.values()), self.missing.index(kind)) if self._concepts else task
        piece = await generate(
            self._ctx,
            _MODELS[kind],
            prompt,
            key=self.missing.index(kind),
            max_output_tokens=_PIECE_TOKENS,
            fixed={"details": self._names(kind)} if kind in ("event", "relic") else None,
            message=_PIECES_MESSAGE,
            share=(1 - _STORY_SHARE) / len(self.missing),
        )
        self._there[kind] = _as_selected(piece)

    def all(self) -> Sequence[SelectedPiece]:
        """Return one piece of each kind; events and relics name the others as they came to be called."""
        for kind in ("event", "relic"):
            if kind in self.missing:
                piece = self._there[kind]
                details = {**piece.details, **self._names(kind)}
                self._there[kind] = piece.model_copy(update={"details": details})
        return [self._there[kind] for kind in KINDS]

    def _names(self, kind: str) -> dict[str, str | None]:
        known = {**self._concepts, **self._there}
        wanted = ("setting",) if kind == "event" else ("setting", "event")
        return {each: known[each].name if each in known else None for each in wanted}

    def _prompt(self, task: str) -> LorePrompt:
        selected = list(self._there.values())
        return LorePrompt(
            task, theme=self._ctx.payload.theme, selected=selected, names=[each.name for each in selected]
        )


def _as_selected(piece: LorePiece[Any]) -> SelectedPiece:
    made = SelectedLore.model_validate({piece.type: piece.model_dump(mode="json")})
    return getattr(made, piece.type)


async def _write_story(ctx: JobContext[CreateWorld, WorldItem], pieces: Sequence[SelectedPiece]) -> Story:
    """Return the story. Where no paragraph mentions a piece, one of them is rewritten once."""
    first_item = sum(getattr(ctx.payload.selected_lore, kind) is None for kind in KINDS)
    prompt = LorePrompt(
        "Write a story that brings these five together, each mentioned by its name, and a quest that grows out of it.",
        theme=ctx.payload.theme,
        selected=pieces,
    )
    story = await generate_streamed(
        ctx,
        Story,
        prompt,
        texts="paragraphs",
        item=Paragraph,
        first_item=first_item,
        max_output_tokens=_STORY_TOKENS,
        message="Writing the story...",
        share=_STORY_SHARE if first_item else 1.0,
    )
    if await is_guided(ctx):
        return story  # its guide has done that, paragraph by paragraph
    paragraphs = list(story.paragraphs)
    for number, unmentioned in _assign(find_unmentioned(pieces, "\n".join(paragraphs)), len(paragraphs)).items():
        paragraphs[number] = await _mention(ctx, prompt, paragraphs[number], unmentioned, first_item + number)
    return story.model_copy(update={"paragraphs": paragraphs})


def _assign(pieces: Sequence[SelectedPiece], count: int) -> Mapping[int, Sequence[SelectedPiece]]:
    """Return by paragraph the pieces that it should mention: people and place early, the relic late."""
    assigned: dict[int, list[SelectedPiece]] = {}
    for piece in pieces:
        place = {"setting": 0, "character": 0, "faction": count // 4, "event": count // 2}.get(
            piece.type, count * 3 // 4
        )
        assigned.setdefault(place, []).append(piece)
    return assigned


async def _mention(
    ctx: JobContext[CreateWorld, WorldItem], prompt: str, text: str, pieces: Sequence[SelectedPiece], item: int
) -> str:
    names = ", ".join(f"the {piece.type} {quote(piece.name)}" for piece in pieces)
    rewritten = await generate(
        ctx,
        Paragraph,
        f"{prompt}\nRewrite a paragraph of the story so that it also mentions {names}. Change as little as you can."
        f"\nThe paragraph: {quote(text, 4_000)}",
        key=f"paragraph {item} with its names",
        max_output_tokens=_PARAGRAPH_TOKENS,
        message="Writing the story...",
        share=0.0,
    )
    if len(find_unmentioned(pieces, rewritten.text)) == len(pieces):
        return text
    await ctx.save_item(item, rewritten)
    return rewritten.text


async def _save(ctx: JobContext[CreateWorld, WorldItem], pieces: Sequence[SelectedPiece], story: Story) -> _Saved:
    """Save the world; once for all jobs that are retries of one."""
    new = NewWorld(
        root_job_id=ctx.root_job_id,
        job_id=ctx.job_id,
        owner=ctx.owner,
        user_id=str(ctx.payload.user_id),
        theme=ctx.payload.theme,
        title=story.title,
        paragraphs=story.paragraphs,
        quest=SavedQuest(**story.quest.model_dump()),
        pieces=[
            Piece(kind=each.type, name=each.name, description=each.description, details=each.details) for each in pieces
        ],
    )
    world = await ctx.resource(Worlds).save(new)
    return _Saved(world_id=UUID(world.id))
