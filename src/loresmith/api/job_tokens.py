"""Tokens for one job: what a browser is given instead of a key, to read or cancel that job for a quarter of an hour."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import jwt
from pydantic import BaseModel, ConfigDict, Field

from loresmith.api.caller import Caller, Grant
from loresmith.api.refreshed import Ages, Refreshed

LIFETIME: Final = timedelta(minutes=15)
PREFIX: Final = "lsj_"
AGES: Final = Ages(fresh=60.0, due=300.0, kept=3600.0, missed=5.0)
_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "loresmith-job"

Scope = Literal["read", "cancel"]


class TokenRequest(BaseModel):
    """What the token is to allow."""

    model_config = ConfigDict(extra="forbid", strict=True)

    scope: Scope = Field("read", description="`cancel` allows to read, too")


class TokenObject(BaseModel):
    """A token for one job."""

    token: str = Field(description="`Authorization: Bearer …`, or `?token=…` where a job is read or followed")
    scope: Scope
    expires_at: datetime = Field(description="RFC 3339, UTC")


@dataclass(frozen=True, slots=True)
class JobTokens:
    """Signs tokens and reads them, with a secret that all processes share; see `secret_kept`."""

    secret: Refreshed[bytes]

    async def issue(self, job_id: str, account: str, scope: Scope) -> TokenObject:
        """Return a token for a job of the owner whose requests count under `account`. Raises AwayError."""
        expires_at = datetime.now(UTC).replace(microsecond=0) + LIFETIME
        claims = {"aud": _AUDIENCE, "sub": job_id, "acc": account, "scope": scope, "exp": expires_at}
        token = PREFIX + jwt.encode(claims, await self.secret.get(), _ALGORITHM)
        return TokenObject(token=token, scope=scope, expires_at=expires_at)

    async def caller(self, token: str) -> Caller | None:
        """Return who presents a token; None for one that opens nothing. Raises AwayError."""
        secret = await self.secret.get()
        claims = _read(token, secret)
        if claims is None and (newer := await self.secret.newer()) != secret:
            claims = _read(token, newer)
        if claims is None:
            return None
        grant = Grant(claims["sub"], claims["scope"] == "cancel")
        return Caller("", claims["acc"], grant=grant, expires_at=claims["exp"])

    async def close(self) -> None:
        """End what is under way."""
        await self.secret.close()


def secret_kept(load: Callable[[], Awaitable[bytes]]) -> Refreshed[bytes]:
    """Return the secret that `load` brings, kept for a minute and more."""

    async def loaded(_known: bytes | None) -> bytes:
        return await load()

    return Refreshed("secret of job tokens", loaded, AGES)


def _read(token: str, secret: bytes) -> dict[str, Any] | None:
    try:
        return jwt.decode(
            token.removeprefix(PREFIX),
            secret,
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            options={"require": ["exp", "aud", "sub", "acc", "scope"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
