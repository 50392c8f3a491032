"""Answers of the server as values, and how each is read: a document, nothing, or a problem."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import msgspec

from loresmith.client.errors import FieldProblem, Problem, UnexpectedAnswerError, error_of

NOT_MODIFIED: Final = 304
_MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read whole; the names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def retry_after_seconds(self) -> float | None:
        """What `Retry-After` asks for: seconds, or a date (RFC 9110, 10.2.3); None without a usable one."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            moment = email.utils.parsedate_to_datetime(text)
        except ValueError:
            return None
        return max(0.0, moment.timestamp() - time.time())

    @property
    def date(self) -> datetime | None:
        """When the server says that it answered."""
        try:
            return email.utils.parsedate_to_datetime(self.headers.get("date", ""))
        except ValueError:
            return None

    @property
    def media_type(self) -> str:
        """The media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def checked(answer: Answer) -> Answer:
    """Return an answer that is a success. Raises ProblemError, UnexpectedAnswerError."""
    if answer.status < 300 or answer.status == NOT_MODIFIED:
        return answer
    document = _problem_document(answer)
    if document is None:
        raise UnexpectedAnswerError(
            f"the answer was {answer.status} without a problem of the API: {_shown(answer.body)!r}",
            status=answer.status,
            retry_after_seconds=answer.retry_after_seconds,
        )
    raise error_of(_problem(document, answer))


def document_of(answer: Answer) -> dict[str, Any]:
    """Return the JSON object that an answer carries. Raises UnexpectedAnswerError."""
    try:
        document = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        document = None
    if not isinstance(document, dict):
        raise UnexpectedAnswerError(
            f"the answer was no JSON object: {_shown(answer.body)!r}; is it a LoreSmith server?", status=answer.status
        )
    return cast("dict[str, Any]", document)


def list_of(document: Mapping[str, Any], name: str) -> list[Any]:
    """Return a list in a document. Raises UnexpectedAnswerError."""
    found = document.get(name)
    if not isinstance(found, list):
        raise UnexpectedAnswerError(f"the answer has no list {name!r}; is it a LoreSmith server?")
    return cast("list[Any]", found)


def _problem_document(answer: Answer) -> dict[str, Any] | None:
    """Tell a problem of this API, which has a code, from what a proxy made up."""
    if "json" not in answer.media_type:
        return None
    try:
        document = document_of(answer)
    except UnexpectedAnswerError:
        return None
    return document if isinstance(document.get("code"), str) else None


def _problem(document: dict[str, Any], answer: Answer) -> Problem:
    errors = document.get("errors")
    return Problem(
        status=answer.status,
        code=document["code"],
        title=str(document.get("title", "")),
        detail=str(document.get("detail", "")),
        retryable=document.get("retryable") is True,
        request_id=document.get("request_id") or answer.headers.get("x-request-id"),
        retry_after_seconds=answer.retry_after_seconds,
        errors=tuple(_field(one) for one in cast("list[Any]", errors)) if isinstance(errors, list) else (),
    )


def _field(one: Any) -> FieldProblem:
    told = cast("dict[str, Any]", one) if isinstance(one, dict) else {"detail": one}
    return FieldProblem(*(str(told.get(name, "")) for name in ("pointer", "code", "detail")))


def _shown(body: bytes) -> str:
    text = " ".join(body.decode(errors="replace").split())
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"
