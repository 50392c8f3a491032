"""Saved worlds: saved once per job, read, listed and deleted by their owner."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Executable, delete, insert, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from loresmith.db.cursor import Cursor
from loresmith.db.database import Database
from loresmith.db.errors import WorldNotFoundError
from loresmith.db.tables import PieceRow, WorldRow
from loresmith.db.world import NewWorld, Piece, Quest, World, WorldPage, WorldSummary

MOST_LISTED: Final = 100
_SUMMARY: Final = (
    WorldRow.id,
    WorldRow.root_job_id,
    WorldRow.job_id,
    WorldRow.owner,
    WorldRow.user_id,
    WorldRow.theme,
    WorldRow.title,
    WorldRow.created_at,
)


class Worlds:
    """The worlds of all owners. `owner=None` stands for an administrator, who sees everybody's.

    Every method raises StorageUnavailableError while the database is away, and each may be repeated then.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, new: NewWorld) -> World:
        """Save a world, and return it as it is stored: the one that was saved first for this `root_job_id`."""
        async with self._database.writing() as session:
            world_id = str(uuid4())
            await session.execute(self._insert_unless_saved(new, world_id))
            saved = await session.scalar(select(WorldRow.id).where(WorldRow.root_job_id == new.root_job_id))
            if saved == world_id and new.pieces:
                await session.execute(insert(PieceRow), _piece_values(new, world_id))
            return await _load(session, world_id, WorldRow.root_job_id == new.root_job_id)

    def _insert_unless_saved(self, new: NewWorld, world_id: str) -> Executable:
        values = {
            "id": world_id,
            "root_job_id": new.root_job_id,
            "job_id": new.job_id,
            "owner": new.owner,
            "user_id": new.user_id,
            "theme": new.theme,
            "title": new.title,
            "story": "\n\n".join(paragraph.strip() for paragraph in new.paragraphs),
            "quest": {
                "title": new.quest.title,
                "description": new.quest.description,
                "stages": list(new.quest.stages),
            },
            "created_at": datetime.now(UTC),
        }
        return self._database.insert(WorldRow).values(values).on_conflict_do_nothing(index_elements=["root_job_id"])

    async def get(self, world_id: str, *, owner: str | None) -> World:
        """Return a world with its pieces. Raises WorldNotFoundError, also for somebody else's."""
        mine = _one(world_id, owner)
        async with self._database.reading() as session:
            return await _load(session, world_id, mine)

    async def list(self, *, owner: str | None, limit: int = 20, cursor: str | None = None) -> WorldPage:
        """Return up to `limit` worlds, newest first, from `cursor` on. Raises CursorError."""
        if not 1 <= limit <= MOST_LISTED:
            raise ValueError(f"limit {limit!r} is out of range, expected 1 to {MOST_LISTED}")
        query = select(*_SUMMARY).order_by(WorldRow.created_at.desc(), WorldRow.id.desc()).limit(limit + 1)
        if owner is not None:
            query = query.where(WorldRow.owner == owner)
        if cursor is not None:
            behind = Cursor.decode(cursor)
            place = tuple_(literal(behind.moment, WorldRow.created_at.type), literal(behind.id, WorldRow.id.type))
            query = query.where(tuple_(WorldRow.created_at, WorldRow.id) < place)
        async with self._database.reading() as session:
            found = [WorldSummary(**row) for row in (await session.execute(query)).mappings()]
        more = Cursor(found[limit - 1].created_at, found[limit - 1].id).encode() if len(found) > limit else None
        return WorldPage(found[:limit], more)

    async def delete(self, world_id: str, *, owner: str | None) -> None:
        """Delete a world with its pieces. Raises WorldNotFoundError, also for somebody else's."""
        mine = _one(world_id, owner)
        async with self._database.writing() as session:
            if await session.scalar(select(WorldRow.id).where(mine)) is None:
                raise WorldNotFoundError(world_id)
            await session.execute(delete(WorldRow).where(mine))


def _one(world_id: str, owner: str | None) -> ColumnElement[bool]:
    try:
        found = WorldRow.id == str(UUID(world_id))
    except ValueError:
        raise WorldNotFoundError(world_id) from None
    return found if owner is None else found & (WorldRow.owner == owner)


def _piece_values(new: NewWorld, world_id: str) -> Sequence[dict[str, Any]]:
    return [
        {
            "world_id": world_id,
            "position": position,
            "kind": piece.kind,
            "name": piece.name,
            "description": piece.description,
            "details": dict(piece.details),
        }
        for position, piece in enumerate(new.pieces)
    ]


async def _load(session: AsyncSession, world_id: str, which: ColumnElement[bool]) -> World:
    row = await session.scalar(select(WorldRow).where(which))
    if row is None:
        raise WorldNotFoundError(world_id)
    pieces = await session.scalars(select(PieceRow).where(PieceRow.world_id == row.id).order_by(PieceRow.position))
    return World(
        id=row.id,
        root_job_id=row.root_job_id,
        job_id=row.job_id,
        owner=row.owner,
        user_id=row.user_id,
        theme=row.theme,
        title=row.title,
        created_at=row.created_at,
        story=row.story,
        quest=Quest(title=row.quest["title"], description=row.quest["description"], stages=row.quest["stages"]),
        pieces=[
            Piece(kind=one.kind, name=one.name, description=one.description, details=one.details) for one in pieces
        ],
    )
