"""API keys as they are checked: all of them in memory, a few seconds old, so that no request asks the database."""

import contextlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from loresmith.api.caller import Caller, caller_named
from loresmith.api.refreshed import Ages, Refreshed
from loresmith.db import ADMIN, ApiKey, KeyRing, Keys, StorageUnavailableError, digest_of, looks_like_key

REVOKED_WITHIN_SECONDS: Final = 10.0
"""A key that was revoked opens nothing after so long, while the database answers."""
KEPT_SECONDS: Final = 300.0
"""So long keys go on working while the database is away, those that were revoked meanwhile too."""
AGES: Final = Ages(fresh=REVOKED_WITHIN_SECONDS / 2, due=REVOKED_WITHIN_SECONDS, kept=KEPT_SECONDS)
_NOTED_EVERY: Final = timedelta(hours=1)


class ApiKeys:
    """Tells whose an API key is."""

    def __init__(self, keys: Keys, *, ages: Ages = AGES) -> None:
        self._keys = keys
        self._kept: Refreshed[KeyRing] = Refreshed("API keys", self._load, ages)
        self._used: dict[str, datetime] = {}
        self._noted: dict[str, datetime] = {}

    async def caller(self, presented: str) -> Caller | None:
        """Return who presents this key; None for one that opens nothing. Raises AwayError."""
        if not looks_like_key(presented):
            return None
        digest, now = digest_of(presented), datetime.now(UTC)
        key = (await self._kept.get()).keys.get(digest) or (await self._kept.newer()).keys.get(digest)
        if key is None or not key.is_live(now):
            return None
        self._used[key.id] = now
        expires_at = math.inf if key.expires_at is None else key.expires_at.timestamp()
        return caller_named(key.owner, admin=ADMIN in key.scopes, expires_at=expires_at)

    async def close(self) -> None:
        """End what is under way."""
        await self._kept.close()

    async def _load(self, known: KeyRing | None) -> KeyRing:
        ring = await self._keys.ring(known)
        await self._note_use(ring.keys)
        return ring

    async def _note_use(self, keys: Mapping[str, ApiKey]) -> None:
        """Write when keys were last used, each once an hour: enough to find those that nobody uses any more."""
        used, self._used = self._used, {}
        stored = {key.id: key.last_used_at for key in keys.values()}
        due = [one for one, moment in used.items() if self._is_due(self._noted.get(one) or stored.get(one), moment)]
        if due:
            moment = max(used[one] for one in due)
            with contextlib.suppress(StorageUnavailableError):  # the next use will tell
                await self._keys.note_use(due, moment)
                self._noted.update(dict.fromkeys(due, moment))

    @staticmethod
    def _is_due(noted: datetime | None, moment: datetime) -> bool:
        return noted is None or moment - noted >= _NOTED_EVERY
