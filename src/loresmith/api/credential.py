"""The credential of a request whose answer is held open, checked again while it is."""

import time
from enum import StrEnum
from typing import Any, Final

from starlette.requests import Request

from loresmith.api.deps import access_of, caller_of
from loresmith.api.errors import Problem, unauthorized

CHECK_SECONDS: Final = 10.0
"""How often a credential is checked while an answer is held open; at its expiry it is checked in any case."""


class Ended(StrEnum):
    """Why a credential no longer opens what it did."""

    EXPIRED = "expired"
    """Its time is over."""
    REVOKED = "revoked"
    """It is not known any more, or what it is checked with has changed."""
    CHANGED = "changed"
    """It stands for another owner or other scopes than when the request came in."""


class CredentialCheck:
    """Asks the guard again, at most every `CHECK_SECONDS` and when the credential expires."""

    __slots__ = ("_checked_at", "_operation", "_request")

    def __init__(self, request: Request, operation: str) -> None:
        self._request = request
        self._operation = operation
        self._checked_at = time.monotonic()

    @property
    def due_seconds(self) -> float:
        """Time until the next check."""
        expires = caller_of(self._request).lasts_seconds(time.time())
        return max(0.0, min(self._checked_at + CHECK_SECONDS - time.monotonic(), expires))

    async def ended(self) -> Ended | None:
        """Return why the credential has ended, None while it has not or no check is due. Raises AwayError."""
        if self.due_seconds > 0:
            return None
        self._checked_at = time.monotonic()
        was = caller_of(self._request)
        if was.lasts_seconds(time.time()) <= 0:
            return Ended.EXPIRED
        try:
            now: Any = await access_of(self._request).guard.identify(self._request, self._operation)
        except Problem:
            return Ended.REVOKED
        return None if now == was else Ended.CHANGED

    async def require(self) -> None:
        """Raise Problem when the credential has ended. Raises AwayError."""
        if (reason := await self.ended()) is not None:
            raise unauthorized(f"the key or token has {_PARTICIPLE[reason]} while the answer was held back")


_PARTICIPLE: Final = {
    Ended.EXPIRED: "expired",
    Ended.REVOKED: "been revoked",
    Ended.CHANGED: "changed",
}
