"""The tables; `migrations/` makes them, and a test compares the two."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Double, ForeignKey, Index, MetaData, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from loresmith.db.columns import Json, Moment, Words

NAMES: Final = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
"""Constraints have names, by which a later migration finds them."""


class Table(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {str: Words(), datetime: Moment(), int: BigInteger()}  # noqa: RUF012 - SQLAlchemy reads it so


Id = Uuid(as_uuid=False)


class WorldRow(Table):
    """A saved world; `root_job_id` makes saving it twice save it once."""

    __tablename__ = "worlds"
    __table_args__ = (Index(None, "owner", "created_at", "id"), Index(None, "created_at", "id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    root_job_id: Mapped[str] = mapped_column(Id, unique=True)
    job_id: Mapped[str] = mapped_column(Id)
    owner: Mapped[str]
    user_id: Mapped[str]
    theme: Mapped[str]
    title: Mapped[str]
    story: Mapped[str]
    quest: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime]


class PieceRow(Table):
    """A piece of lore in a world."""

    __tablename__ = "lore_pieces"

    world_id: Mapped[str] = mapped_column(Id, ForeignKey("worlds.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    name: Mapped[str]
    description: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(Json)


class HistoryRow(Table):
    """An ended job, kept after Redis forgot it."""

    __tablename__ = "job_history"

    job_id: Mapped[str] = mapped_column(Id, primary_key=True)
    root_job_id: Mapped[str] = mapped_column(Id)
    type: Mapped[str]
    owner: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime]
    attempts: Mapped[int]
    rescues: Mapped[int]
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    cost_usd: Mapped[float | None] = mapped_column(Double)
    model: Mapped[str | None]
    error_code: Mapped[str | None]


class KeyRow(Table):
    """An API key: its SHA-256, whose it is, and until when it opens anything."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True)
    prefix: Mapped[str]
    owner: Mapped[str]
    scopes: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
