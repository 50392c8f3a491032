"""What lore processes share through Redis: the ledgers of their limiters, and the purses of their budgets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from redis.exceptions import NoScriptError

from loresmith.bootstrap import Client
from loresmith.jobs.away import is_away
from loresmith.llm_service.circuit import Outage
from loresmith.llm_service.ledger import LEASE_SECONDS, WINDOW_SECONDS, AwayError, Hindrance, Limits
from loresmith.llm_service.purse import Account, Reserved, Sum

_LINE_SILENCE_SECONDS: Final = 3.0
_ACCOUNT_LIFETIME_SECONDS: Final = 2 * 86_400


@dataclass(frozen=True, slots=True)
class _Script:
    source: str
    sha: str


def _load(name: str) -> _Script:
    source = files("loresmith.llm_service").joinpath("scripts", f"{name}.lua").read_text(encoding="utf-8")
    return _Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


_TAKE: Final = _load("take")
_LEAVE: Final = _load("leave")
_HOLD: Final = _load("hold")
_PAUSE: Final = _load("pause")
_OUTAGE: Final = _load("outage")
_PROBE: Final = _load("probe")
_RESERVE: Final = _load("reserve")
_SPEND: Final = _load("spend")


async def _run(redis: Client, script: _Script, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    """Runs a script, all of which may be repeated. Raises AwayError while Redis cannot take it."""
    client: Any = redis
    try:
        try:
            return await client.evalsha(script.sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return await client.eval(script.source, len(keys), *keys, *arguments)
    except Exception as error:
        if is_away(error):
            raise AwayError(str(error)) from error
        raise


class SharedLedger:
    """A Ledger that all processes on one Redis share, by the name of the provider.

    A pause is about one `account` of it, a digest of its address and key: who changes one of them is not paused.
    """

    def __init__(
        self,
        redis: Client,
        provider: str,
        limits: Limits,
        *,
        account: str = "",
        window_seconds: float = WINDOW_SECONDS,
    ) -> None:
        self._redis = redis
        self._limits = limits
        self._window_ms = round(window_seconds * 1000)
        self._lease_ms = round(LEASE_SECONDS * 1000)
        self._lifetime_ms = 2 * (self._window_ms + self._lease_ms)
        names = ("requests", "tokens", "weights", "running", "line", "paused")
        self._keys = [f"limiter:{{{provider}}}:{name}" for name in names]
        self._keys[-1] += f":{account}" if account else ""

    async def take(self, request: str, tokens: int) -> Hindrance | None:
        """See Ledger. Raises AwayError."""
        most = self._limits
        arguments = (
            *(request, tokens, most.requests, most.tokens, most.calls),
            *(self._window_ms, self._lease_ms, self._lifetime_ms, round(_LINE_SILENCE_SECONDS * 1000)),
        )
        reason, wait_ms = await _run(self._redis, _TAKE, self._keys, arguments)
        return Hindrance(bytes(reason).decode(), wait_ms / 1000) if reason else None

    async def leave(self, request: str, tokens: int | None) -> None:
        """See Ledger. Raises AwayError."""
        used = "" if tokens is None else tokens
        await _run(self._redis, _LEAVE, self._keys, (request, used, self._window_ms, self._lifetime_ms))

    async def hold(self, requests: Sequence[str]) -> None:
        """See Ledger. Raises AwayError."""
        times = (self._window_ms, self._lease_ms, self._lifetime_ms)
        await _run(self._redis, _HOLD, self._keys, (*times, *requests))

    async def pause(self, seconds: float) -> None:
        """See Ledger. Raises AwayError."""
        await _run(self._redis, _PAUSE, self._keys[-1:], (max(1, round(seconds * 1000)),))

    async def paused_seconds(self) -> float:
        """See Ledger. Raises AwayError."""
        client: Any = self._redis
        try:
            return max(0, await client.pttl(self._keys[-1])) / 1000
        except Exception as error:
            if is_away(error):
                raise AwayError(str(error)) from error
            raise


_PAUSES: Final = "limiter:{*}:paused*"


async def pauses(redis: Client) -> dict[str, float]:
    """Return the seconds that are left of each provider's pause, by its key."""
    client: Any = redis
    keys = [bytes(key).decode() async for key in client.scan_iter(match=_PAUSES)]
    return {key: ms / 1000 for key in sorted(keys) if (ms := await client.pttl(key)) > 0}


async def clear_pauses(redis: Client) -> int:
    """End all pauses of providers; return how many there were."""
    client: Any = redis
    return sum([int(await client.delete(key)) for key in await pauses(redis)])


class RedisOutage:
    """A SharedOutage that all processes on one Redis know, by the name of the provider."""

    def __init__(self, redis: Client, provider: str) -> None:
        self._redis = redis
        self._keys = [f"limiter:{{{provider}}}:{name}" for name in ("outage", "probe")]

    async def look(self) -> Outage | None:
        """See SharedOutage. Raises AwayError."""
        number, left_ms = await _run(self._redis, _OUTAGE, self._keys, ())
        return Outage(int(number), left_ms / 1000) if left_ms > 0 else None

    async def note(self, outage: Outage) -> None:
        """See SharedOutage. Raises AwayError."""
        arguments = (outage.round, max(1, round(outage.left_seconds * 1000)))
        await _run(self._redis, _OUTAGE, self._keys, arguments)

    async def probe(self, seconds: float) -> bool:
        """See SharedOutage. Raises AwayError."""
        return bool(await _run(self._redis, _PROBE, self._keys, (round(seconds * 1000),)))


class SharedPurse:
    """A Purse that all processes on one Redis share."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis

    async def reserve(self, account: Account, request: str, wanted: Sum, *, seconds: float) -> Reserved:
        """See Purse. Raises AwayError."""
        most = ("" if limit is None else limit for limit in (account.tokens, account.nano_usd))
        lifetime_ms = (_ACCOUNT_LIFETIME_SECONDS + round(seconds)) * 1000
        arguments = (request, wanted.tokens, wanted.nano_usd, *most, round(seconds * 1000), lifetime_ms)
        return Reserved(await _run(self._redis, _RESERVE, [_key(account)], arguments))

    async def spend(self, account: Account, request: str, used: Sum) -> None:
        """See Purse. Raises AwayError."""
        arguments = (request, used.tokens, used.nano_usd, _ACCOUNT_LIFETIME_SECONDS * 1000)
        await _run(self._redis, _SPEND, [_key(account)], arguments)


def _key(account: Account) -> str:
    return f"budget:{{{account.name}}}"
