"""Address of the server, API key, limits of time."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import httpx2

from loresmith.pasted import find_unsendable, names_host, strip_pasted
from loresmith.proxies import check_proxies, goes_direct

URL_VARIABLE: Final = "LORESMITH_URL"
KEY_VARIABLE: Final = "LORESMITH_API_KEY"
DEFAULT_URL: Final = "http://127.0.0.1:8080"
CONNECT_SECONDS: Final = 5.0
DEFAULT_SECONDS: Final = 30.0


class Unset:
    """The value of an argument that is left out, where None means something."""


UNSET: Final = Unset()
Timeout = float | tuple[float | None, float | None, float | None, float | None] | httpx2.Timeout | None
"""A limit of time as httpx2 takes it: seconds, (connect, read, write, pool), an object, or None for no limit."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings of a client; the key is in no message and no `repr`."""

    base_url: str
    api_key: str | None = field(repr=False)
    timeout: httpx2.Timeout
    retries: int
    patience_seconds: float

    @classmethod
    def of(
        cls,
        base_url: str | None,
        api_key: str | None,
        *,
        timeout: Timeout = DEFAULT_SECONDS,
        retries: int,
        patience_seconds: float,
    ) -> Configuration:
        """Return it, with what is None from the environment.

        Raises ValueError for an address that is none, a key that no header can carry, or a proxy that cannot be used.
        """
        url = _checked(strip_pasted(base_url or os.environ.get(URL_VARIABLE) or "") or DEFAULT_URL)
        key = _checked_key(api_key or os.environ.get(KEY_VARIABLE) or "")
        made = cls(url, key, _limits(timeout), retries, patience_seconds)
        if made.trusts_environment:
            check_proxies()
        return made

    def changed(
        self, *, api_key: str | Unset | None, timeout: Timeout | Unset, retries: int | None, patience: float | None
    ) -> Configuration:
        """Return it with other values; without a key where that is None. Raises ValueError as `of`."""
        changes: dict[str, Any] = {}
        if not isinstance(api_key, Unset):
            changes["api_key"] = _checked_key(api_key or "")
        if not isinstance(timeout, Unset):
            changes["timeout"] = _limits(timeout)
        if retries is not None:
            changes["retries"] = retries
        if patience is not None:
            changes["patience_seconds"] = patience
        return replace(self, **changes)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        shown = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        return {"Accept": "application/json", "User-Agent": f"loresmith-python/{_version()}", **shown}

    @property
    def trusts_environment(self) -> bool:
        """Whether proxies of the environment are used: a server on this machine is not behind one."""
        return not goes_direct(self.base_url)

    def limits(self, *, held_seconds: float = 0.0, silent_seconds: float | None = None) -> httpx2.Timeout:
        """Return the limits of a request: an answer that is held back may take that much longer."""
        usual = self.timeout
        read = None if usual.read is None else usual.read + held_seconds
        if silent_seconds is not None:
            read = silent_seconds
        return httpx2.Timeout(connect=usual.connect, write=usual.write, pool=usual.pool, read=read)


def _limits(timeout: Timeout) -> httpx2.Timeout:
    if isinstance(timeout, int | float):
        return httpx2.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout))
    return httpx2.Timeout(timeout)


def _checked_key(offered: str) -> str | None:
    key = strip_pasted(offered)
    if flaw := find_unsendable(key):
        raise ValueError(f"{KEY_VARIABLE}, the API key, has {flaw}: expected printable ASCII without blanks")
    return key or None


def _checked(url: str) -> str:
    if flaw := find_unsendable(url):
        raise ValueError(f"{URL_VARIABLE}, the address of the server, has {flaw}: expected one such as {DEFAULT_URL}")
    if not names_host(url, "http", "https"):
        shown = "it" if "@" in url else repr(url)
        raise ValueError(f"{shown} is no address of a server, expected one such as {DEFAULT_URL}")
    return url.rstrip("/")


@cache
def _version() -> str:
    try:
        return version("loresmith")
    except PackageNotFoundError:
        return "0"
