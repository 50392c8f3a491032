"""What API processes share through Redis: the request rates of owners, and the secret that signs job tokens."""

import hashlib
import secrets
from importlib.resources import files
from typing import Any, Final

from redis.exceptions import NoScriptError

from loresmith.api.refreshed import AwayError
from loresmith.bootstrap import Client
from loresmith.jobs.away import is_away

SECRET_KEY: Final = "api:job-token-secret"  # noqa: S105 - a key of Redis
"""string: 32 random bytes as hex; renewed while it is used, and gone a day after: its tokens live 15 minutes."""
_SECRET_SECONDS: Final = 86_400
_CHARGE: Final = files("loresmith.api").joinpath("scripts", "charge.lua").read_text(encoding="utf-8")
_CHARGE_SHA: Final = hashlib.sha1(_CHARGE.encode(), usedforsecurity=False).hexdigest()


def rate_key(account: str) -> str:
    """string: when all requests of an owner are worked off, in microseconds; gone by then."""
    return f"rate:{{{account}}}"


class Shared:
    """Every method raises AwayError while Redis cannot do it."""

    def __init__(self, redis: Client) -> None:
        self._redis: Any = redis

    async def charge(self, account: str, count: int, interval_seconds: float) -> float:
        """Count requests of an owner; returns the seconds until all of them are worked off."""
        arguments = (1, rate_key(account), count, round(interval_seconds * 1_000_000))
        try:
            try:
                stands = await self._redis.evalsha(_CHARGE_SHA, *arguments)
            except NoScriptError:
                stands = await self._redis.eval(_CHARGE, *arguments)
        except Exception as error:
            raise _told(error) from error
        return int(stands) / 1_000_000

    async def secret(self) -> bytes:
        """Return the secret, made by whoever asks first."""
        try:
            await self._redis.set(SECRET_KEY, secrets.token_hex(32), nx=True, ex=_SECRET_SECONDS)
            await self._redis.expire(SECRET_KEY, _SECRET_SECONDS)
            found = await self._redis.get(SECRET_KEY)
        except Exception as error:
            raise _told(error) from error
        if found is None:  # removed by somebody in this moment
            raise AwayError("secret of job tokens")
        return bytes(found)


def _told(error: Exception) -> Exception:
    return AwayError(type(error).__name__) if is_away(error) else error
