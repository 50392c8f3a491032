"""Worlds: saved once, listed newest first, and nobody else's business."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from loresmith.db import CursorError, Database, Piece, WorldNotFoundError, Worlds
from loresmith.db.tables import PieceRow, Table, WorldRow
from tests.db.samples import PARAGRAPHS, new_world


async def rows(database: Database, table: type[Table]) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_a_world_comes_back_as_it_was_saved(worlds: Worlds) -> None:
    new = new_world()
    saved = await worlds.save(new)
    found = await worlds.get(saved.id, owner="local")
    assert found == saved
    assert list(found.paragraphs) == PARAGRAPHS
    assert list(found.pieces) == list(new.pieces)
    assert found.quest == new.quest
    assert (found.root_job_id, found.job_id, found.owner) == (new.root_job_id, new.job_id, "local")
    assert (found.user_id, found.theme, found.title) == ("7", "norse-mythology", "The Long Night")
    assert abs(datetime.now(UTC) - found.created_at) < timedelta(seconds=20)


async def test_a_second_save_for_the_same_root_job_returns_the_first_world(worlds: Worlds, database: Database) -> None:
    new = new_world()
    first = await worlds.save(new)
    again = await worlds.save(new_world(root_job_id=new.root_job_id, title="Another", job_id=str(uuid4())))
    assert again == first
    assert (await rows(database, WorldRow), await rows(database, PieceRow)) == (1, 2)


async def test_many_saves_at_once_for_one_root_job_save_one_world(worlds: Worlds, database: Database) -> None:
    new = new_world()
    saved = await asyncio.gather(*(worlds.save(new) for _ in range(12)))
    assert len({world.id for world in saved}) == 1
    assert all(list(world.pieces) == list(new.pieces) for world in saved)
    assert (await rows(database, WorldRow), await rows(database, PieceRow)) == (1, 2)


async def test_more_saves_at_once_than_there_are_connections_all_succeed(worlds: Worlds, database: Database) -> None:
    saved = await asyncio.gather(*(worlds.save(new_world()) for _ in range(40)))
    assert len({world.id for world in saved}) == 40
    assert await rows(database, PieceRow) == 80


async def test_what_a_database_cannot_store_is_left_out_and_not_the_world(worlds: Worlds) -> None:
    details = {"k\0": float("nan"), "list": ["\0", 2**60, 2**70, 10**400]}
    odd = Piece(kind="relic", name="A\0b\ud800", description="", details=details)
    saved = await worlds.save(new_world(title="\0", paragraphs=["one\0", "two"], pieces=[odd]))
    found = await worlds.get(saved.id, owner=None)
    assert (found.title, found.story) == ("", "one\n\ntwo")
    assert found.pieces[0].name == "Ab?"
    assert found.pieces[0].details == {"k": None, "list": ["", 2**60, 2.0**70, None]}
    assert isinstance(found.pieces[0].details["list"][2], float)


async def test_worlds_are_listed_newest_first_page_by_page(worlds: Worlds) -> None:
    saved = [(await worlds.save(new_world())).id for _ in range(7)]
    await worlds.save(new_world(owner="somebody"))
    seen: list[str] = []
    cursor: str | None = None
    for size in (3, 3, 1):
        page = await worlds.list(owner="local", limit=3, cursor=cursor)
        assert len(page.worlds) == size
        seen += [world.id for world in page.worlds]
        cursor = page.next_cursor
    assert cursor is None
    assert seen == saved[::-1]


async def test_pages_are_complete_although_worlds_have_the_same_time(worlds: Worlds, database: Database) -> None:
    saved = {(await worlds.save(new_world())).id for _ in range(9)}
    async with database.writing() as session:
        await session.execute(update(WorldRow).values(created_at=datetime(2026, 1, 1, tzinfo=UTC)))
    seen: list[str] = []
    page = await worlds.list(owner="local", limit=2)
    while True:
        seen += [world.id for world in page.worlds]
        if page.next_cursor is None:
            break
        page = await worlds.list(owner="local", limit=2, cursor=page.next_cursor)
    assert len(seen) == 9
    assert set(seen) == saved


async def test_a_world_that_is_saved_meanwhile_shifts_no_page(worlds: Worlds) -> None:
    saved = [(await worlds.save(new_world())).id for _ in range(4)]
    first = await worlds.list(owner="local", limit=2)
    await worlds.save(new_world())
    second = await worlds.list(owner="local", limit=2, cursor=first.next_cursor)
    assert [world.id for world in (*first.worlds, *second.worlds)] == saved[::-1]


async def test_a_world_is_its_owners_and_an_administrators(worlds: Worlds) -> None:
    world = await worlds.save(new_world(owner="anna"))
    assert (await worlds.get(world.id, owner="anna")).id == world.id
    assert (await worlds.get(world.id, owner=None)).id == world.id
    assert (await worlds.list(owner="bert")).worlds == []
    assert [one.id for one in (await worlds.list(owner=None)).worlds] == [world.id]
    with pytest.raises(WorldNotFoundError):
        await worlds.get(world.id, owner="bert")
    with pytest.raises(WorldNotFoundError):
        await worlds.delete(world.id, owner="bert")
    assert (await worlds.get(world.id, owner="anna")).id == world.id


async def test_a_deleted_world_is_gone_with_its_pieces_and_no_other(worlds: Worlds, database: Database) -> None:
    kept = await worlds.save(new_world())
    world = await worlds.save(new_world())
    await worlds.delete(world.id, owner="local")
    with pytest.raises(WorldNotFoundError):
        await worlds.get(world.id, owner="local")
    with pytest.raises(WorldNotFoundError):
        await worlds.delete(world.id, owner="local")
    assert await rows(database, PieceRow) == 2
    assert (await worlds.get(kept.id, owner="local")) == kept


@pytest.mark.parametrize("world_id", ["", "x", "1" * 40, "\0", "'; DROP TABLE worlds; --"])
async def test_an_id_of_no_world_is_not_found(worlds: Worlds, world_id: str) -> None:
    with pytest.raises(WorldNotFoundError):
        await worlds.get(world_id, owner=None)


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "ä", "=" * 8, "_" * 32, "A" * 10_000, "\0"])
async def test_a_cursor_that_no_page_gave_is_refused(worlds: Worlds, cursor: str) -> None:
    with pytest.raises(CursorError):
        await worlds.list(owner=None, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 101])
async def test_a_page_has_one_to_a_hundred_worlds(worlds: Worlds, limit: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 100"):
        await worlds.list(owner=None, limit=limit)
