"""Access tokens of an identity provider: signed JSON Web Tokens (RFC 7519), checked as RFC 8725 asks for."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

import jwt

from loresmith.api.caller import Caller, caller_named
from loresmith.db import is_owner

_REQUIRED: Final = ("exp", "iss", "aud", "sub")
_MOMENTS: Final = ("exp", "nbf", "iat")
_LAST_MOMENT: Final = 2**53
_KNOWN_SECONDS: Final = 60.0
"""How long a token that was found good is not checked again, unless it expires before."""
_MOST_KNOWN: Final = 10_000
_MOST_LENGTH: Final = 8 * 1024


class RefusedError(Exception):
    """A token opens nothing; the message says why, and nothing that is in it."""


class SigningKeys(Protocol):
    """Finds the key that a token must be verified with; the token has no say in the algorithm."""

    async def find(self, key_id: str | None) -> tuple[Any, str] | None:
        """Return a key and its algorithm; None for an id of no key. Raises AwayError."""
        ...

    async def close(self) -> None:
        """End what is under way."""
        ...


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """The one key of those who sign with a secret that they share with this server: HS256, and nothing else."""

    secret: str = field(repr=False)

    async def find(self, key_id: str | None) -> tuple[Any, str] | None:  # noqa: ARG002 - there is one key
        """See SigningKeys."""
        return self.secret, "HS256"

    async def close(self) -> None:
        """See SigningKeys: nothing is."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What tokens must say. `scope_claim` holds scopes, as words (RFC 8693) or as a list."""

    issuer: str
    audience: str
    leeway_seconds: int = 30
    scope_claim: str = "scope"
    admin_scope: str = "admin"


class AccessTokens:
    """Tells who presents a token: `sub` is the owner."""

    def __init__(self, keys: SigningKeys, claims: Claims) -> None:
        self._keys = keys
        self._claims = claims
        self._known: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()

    async def caller(self, token: str) -> Caller:
        """Return who presents this token. Raises RefusedError, AwayError."""
        if len(token) > _MOST_LENGTH:
            raise RefusedError("the token is too long")
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        known = self._known.get(digest)
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        caller = self._caller(await self._verified(token))
        self._remember(digest, caller)
        return caller

    async def close(self) -> None:
        """End what is under way."""
        await self._keys.close()

    async def _verified(self, token: str) -> Mapping[str, Any]:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            found = await self._keys.find(key_id if isinstance(key_id, str) else None)
            if found is None:
                raise RefusedError("the token is signed with a key that is not known")
            key, algorithm = found
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._claims.audience,
                issuer=self._claims.issuer,
                leeway=self._claims.leeway_seconds,
                options={"require": list(_REQUIRED)},
            )
        except jwt.ExpiredSignatureError:
            raise RefusedError("the token has expired") from None
        except jwt.ImmatureSignatureError:
            raise RefusedError("the token is not valid yet") from None
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            raise RefusedError("the token is not one of the issuer's for this service") from None

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        if not all(is_moment(claims[name]) for name in _MOMENTS if name in claims):
            raise RefusedError("a time of the token is no number of seconds")
        owner = claims["sub"]
        if not isinstance(owner, str) or not is_owner(owner):
            raise RefusedError("the subject of the token cannot be the name of an owner")
        admin = self._claims.admin_scope in _scopes(claims.get(self._claims.scope_claim))
        return caller_named(owner, admin=admin, expires_at=claims["exp"] + self._claims.leeway_seconds)

    def _remember(self, digest: bytes, caller: Caller) -> None:
        seconds = min(_KNOWN_SECONDS, caller.lasts_seconds(time.time()))
        self._known[digest] = caller, time.monotonic() + seconds
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)


def is_moment(value: object) -> bool:
    """Tell whether a claim is a NumericDate (RFC 7519, 2): a number of seconds, and one that a clock can reach."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LAST_MOMENT


def _scopes(value: object) -> Sequence[object]:
    if isinstance(value, str):
        return value.split()
    return cast("list[object]", value) if isinstance(value, list) else ()
