"""Which names a server answers to, and which pages may make it act: the guard against pages of strangers."""

import ipaddress
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from loresmith.api.errors import Problem
from loresmith.setting_types import is_loopback

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_SHOWN: Final = 60
_HOST: Final = re.compile(r"(?:(?P<name>[a-z0-9._-]+)|\[(?P<address>[0-9a-f:.]+)\])(?::[0-9]{1,5})?")
"""A name or an address, whole, with its port (RFC 9110, 7.2); nobody before it, no zone, nothing after it."""


class Site:
    """Refuses what a page of a stranger could make a browser send to a server that trusts whoever reaches it.

    `names` are hosts beside this machine's own; None takes every one. With `addresses` IP addresses are taken as well:
    no page can make one its own. With `guarded`, a request that changes something is refused when it comes from a page
    of another origin than the server's own and `origins`.
    """

    def __init__(
        self,
        names: Collection[str] | None = (),
        *,
        addresses: bool = False,
        guarded: bool = True,
        origins: Collection[str] = (),
    ) -> None:
        self._names = None if names is None else frozenset(name.lower() for name in names)
        self._addresses, self._guarded = addresses, guarded
        self._origins = frozenset(origins)
        self._answers_to = lru_cache(maxsize=256)(self._is_own)

    def refusal(self, scope: Mapping[str, Any]) -> Problem | None:
        """Return why a request is refused; None when it is not."""
        host = origin = None
        for name, value in scope["headers"]:
            if name == b"host":
                host = value if host is None else b""  # RFC 9110, 7.2: one, or the request means nothing
            elif name == b"origin":
                origin = value
        if host is None and scope.get("http_version") == "1.0":
            return None  # no browser sends that: monitors do
        if self._names is not None and not self._answers_to(host or b""):
            shown = (host or b"").decode("latin-1")[:_MOST_SHOWN]
            detail = f"Host {shown!r} is none that this server answers to: see LORESMITH_ALLOWED_HOSTS"
            return Problem("host_not_allowed", detail)
        if origin is not None and self._guarded and scope["method"] not in _SAFE:
            own = [(host or b"").decode("latin-1").lower()]
            if (outer := scope.get("forwarded_host")) is not None and self._answers(outer):
                own.append(outer.lower())
            return self._of_origin(origin.decode("latin-1").lower(), own)
        return None

    def _answers(self, host: str) -> bool:
        return self._names is None or self._answers_to(host.encode("latin-1"))

    def _of_origin(self, origin: str, own: Collection[str]) -> Problem | None:
        if origin.partition("://")[2] in own or origin in self._origins:
            return None
        detail = f"pages of {origin[:_MOST_SHOWN]!r} may not change anything here: see LORESMITH_CORS_ORIGINS"
        return Problem("origin_not_allowed", detail)

    def _is_own(self, host: bytes) -> bool:
        found = _HOST.fullmatch(host.decode("latin-1").lower())
        if found is None:
            return False
        name = found["name"] or found["address"]
        return is_loopback(name) or (self._addresses and _is_address(name)) or name in (self._names or ())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
