"""Column types that hold the same on SQLite and on PostgreSQL, whatever a model has written."""

import json
import math
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import JSON, DateTime, Dialect, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine


class Moment(TypeDecorator[datetime]):
    """A point in time, aware and in UTC; SQLite keeps it without the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone: it could mean anything."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time {value.isoformat()!r} has no zone, expected UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text of any length; characters that PostgreSQL cannot store are left out."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Leave out what cannot be stored: it would cost the whole world."""
        return None if value is None else storable(value)


class Json(TypeDecorator[Any]):
    """A JSON value; JSONB on PostgreSQL."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the type of the database."""
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else JSON())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Leave out what cannot be stored."""
        return storable(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Give floats back as such: PostgreSQL writes large ones as integers beyond 64 bits."""
        return storable(value)


def storable(value: Any) -> Any:
    """Return a JSON value as every database can store it.

    PostgreSQL refuses U+0000 and lone surrogates in text and jsonb, and JSON has no NaN. Integers beyond 64 bits become
    floats, as most readers of JSON make them.
    """
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -(2**63) <= value < 2**63 else storable(_as_float(value))
    if isinstance(value, dict):
        return {storable(str(key)): storable(one) for key, one in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [storable(one) for one in cast("list[Any]", value)]
    return value


def _as_float(value: int) -> float:
    return float(value) if abs(value) < 10**308 else math.inf


def dump_json(value: Any) -> str:
    """Return a value as JSON, readable in the database as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
