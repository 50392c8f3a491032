"""The public keys of an identity provider (JWKS, RFC 7517), fetched beside the requests that need them."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import httpx2
import jwt
import orjson

from loresmith.api.refreshed import Ages, Refreshed
from loresmith.proxies import goes_direct

AGES: Final = Ages(fresh=300.0, due=900.0, kept=86_400.0, missed=30.0)
"""An id of no known key has the set fetched again at most every 30 s: new keys are found, and nobody can flood."""
_TIMEOUT_SECONDS: Final = 5.0
_MOST_BYTES: Final = 512 * 1024

Found = tuple[Any, str]


class KeySet:
    """The keys at a URL that sign with some algorithms; each with one of its own, whatever a token says."""

    def __init__(self, url: str, algorithms: Collection[str], *, ages: Ages = AGES) -> None:
        self._url = url
        self._algorithms = frozenset(algorithms)
        self._kept: Refreshed[Mapping[str, Found]] = Refreshed("signing keys", self._load, ages)

    async def find(self, key_id: str | None) -> Found | None:
        """See SigningKeys; without an id, the only key there is."""
        keys = await self._kept.get()
        if key_id is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(key_id) or (await self._kept.newer()).get(key_id)

    async def close(self) -> None:
        """See SigningKeys."""
        await self._kept.close()

    async def _load(self, _known: Mapping[str, Found] | None) -> Mapping[str, Found]:
        async with (
            httpx2.AsyncClient(
                timeout=_TIMEOUT_SECONDS, follow_redirects=False, trust_env=not goes_direct(self._url)
            ) as client,
            client.stream("GET", self._url, headers={"Accept": "application/json"}) as answer,
        ):
            answer.raise_for_status()
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise ValueError("the key set is too large")
        return self._usable(orjson.loads(body)["keys"])

    def _usable(self, listed: list[dict[str, Any]]) -> Mapping[str, Found]:
        """Return the keys that may verify, by their ids; a secret, or what is not understood, is none of them."""
        keys: dict[str, Found] = {}
        for place, one in enumerate(listed):
            try:
                key = jwt.PyJWK(one)
            except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
                continue
            if key.algorithm_name in self._algorithms and one.get("use", "sig") == "sig":
                keys[str(one.get("kid", f"#{place}"))] = (key.key, key.algorithm_name)
        return keys
