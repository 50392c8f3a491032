"""Parameters of requests that are not in the body: query strings and headers."""

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from starlette.requests import Request

from loresmith.api.deps import header_of, headers_of
from loresmith.api.errors import Problem
from loresmith.jobs import Listing, State, Status

MOST_WAIT_SECONDS: Final = 60
MOST_LISTED: Final = 100
MOST_IDS: Final = 100
_WAIT: Final = re.compile(r'(?i)(?:^|,)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])')
_LISTING: Final = ("state", "status", "type", "tag", "created_after", "cursor", "limit")

Word = TypeVar("Word", bound=StrEnum)


def wait_seconds_of(request: Request) -> int:
    """Return how long the client would wait for news (`Prefer: wait=N`, RFC 7240), 60 s at the most; 0 for not at all.

    A preference that is not understood is no error: it is passed over.
    """
    preferences = headers_of(request, b"prefer")
    found = _WAIT.search(",".join(preferences)) if preferences else None
    return min(int(found[1]), MOST_WAIT_SECONDS) if found else 0


def matches(if_none_match: str, seq: int) -> bool:
    """Tell whether a client has this `seq` already; compared weakly (RFC 9110, 13.1.2): `W/` does not count."""
    offered = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return f'"{seq}"' in offered or "*" in offered


def wants_payload(request: Request) -> bool:
    """Tell whether the client asks for what the job was submitted with (`?include=payload`). Raises Problem."""
    include = _single(request, "include")
    if include not in (None, "payload"):
        raise Problem("bad_request", "include: expected payload")
    return include is not None


def last_event_of(request: Request) -> int | None:
    """Return the `seq` up to which a client knows a job's events: Last-Event-ID, else `?after=`. Raises Problem."""
    header = header_of(request, b"last-event-id")
    if header.isascii() and header.isdigit() and len(header) < 16:
        return int(header)
    after = _single(request, "after")
    return None if after is None else _whole("after", after, least=0, most=10**15)


def ids_of(request: Request) -> list[str] | None:
    """Return the ids that are asked for (`?ids=a,b`), each once; None where a listing is. Raises Problem."""
    text = _single(request, "ids")
    if text is None:
        return None
    if request.query_params.keys() & set(_LISTING):
        raise Problem("bad_request", "ids: expected no filter, cursor or limit beside it")
    ids = list(dict.fromkeys(text.split(",")))
    if len(ids) > MOST_IDS or not all(ids):
        raise Problem("bad_request", f"ids: expected 1 to {MOST_IDS} ids with commas between them")
    return ids


def listing_of(request: Request) -> Listing:
    """Return what to list. Raises Problem for a filter that cannot be one."""
    after, limit = _single(request, "created_after"), _single(request, "limit")
    return Listing(
        status=_word(request, "status", Status),
        state=_word(request, "state", State),
        type=_single(request, "type"),
        tag=_single(request, "tag"),
        created_after_ms=None if after is None else _ms(after),
        cursor=_single(request, "cursor") or "",
        limit=20 if limit is None else _whole("limit", limit, least=1, most=MOST_LISTED),
    )


def _single(request: Request, name: str) -> str | None:
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise Problem("bad_request", f"{name}: expected one value, got {len(values)}")
    return values[0] if values else None


def _word(request: Request, name: str, kind: type[Word]) -> Word | None:
    text = _single(request, name)
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError:
        raise Problem("bad_request", f"{name}: expected one of {_listed(kind)}") from None


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _whole(name: str, text: str, *, least: int, most: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 17 and least <= int(text) <= most:
        return int(text)
    raise Problem("bad_request", f"{name}: expected a whole number from {least} to {most}")


def _ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Problem("bad_request", "created_after: expected a time such as 2026-01-31T12:00:00Z")
    return int(moment.timestamp() * 1000)
