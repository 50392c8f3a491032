"""Where the server is, which key is shown to it, and how long it is waited for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import httpx2

from loresmith.pasted import find_unsendable, names_host, strip_pasted
from loresmith.proxies import check_proxies, goes_direct

URL_VARIABLE: Final = "LORESMITH_URL"
KEY_VARIABLE: Final = "LORESMITH_API_KEY"
DEFAULT_URL: Final = "http://127.0.0.1:8080"
CONNECT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Configuration:
    """What both clients are made with; the key is in no message and no `repr`."""

    base_url: str
    api_key: str | None = field(repr=False)
    timeout_seconds: float
    retries: int
    patience_seconds: float

    @classmethod
    def of(
        cls, base_url: str | None, api_key: str | None, *, timeout_seconds: float, retries: int, patience_seconds: float
    ) -> Configuration:
        """Return it, with what is None from the environment.

        Raises ValueError for an address that is none, a key that no header can carry, or a proxy that cannot be used.
        """
        url = _checked(strip_pasted(base_url or os.environ.get(URL_VARIABLE) or "") or DEFAULT_URL)
        key = strip_pasted(api_key or os.environ.get(KEY_VARIABLE) or "") or None
        if flaw := find_unsendable(key or ""):
            raise ValueError(f"{KEY_VARIABLE}, the API key, has {flaw}: expected printable ASCII without blanks")
        made = cls(url, key, timeout_seconds, retries, patience_seconds)
        if made.trusts_environment:
            check_proxies()
        return made

    @property
    def headers(self) -> Mapping[str, str]:
        """What every request carries."""
        shown = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        return {"Accept": "application/json", "User-Agent": f"loresmith-python/{_version()}", **shown}

    @property
    def trusts_environment(self) -> bool:
        """Whether proxies of the environment are used: a server on this machine is not behind one."""
        return not goes_direct(self.base_url)

    def timeout(self, *, held_seconds: float = 0.0, silent_seconds: float | None = None) -> httpx2.Timeout:
        """Return the limits of a request: an answer that is held back may take that much longer."""
        read = self.timeout_seconds + held_seconds if silent_seconds is None else silent_seconds
        return httpx2.Timeout(self.timeout_seconds, connect=min(CONNECT_SECONDS, self.timeout_seconds), read=read)


def _checked(url: str) -> str:
    if flaw := find_unsendable(url):
        raise ValueError(f"{URL_VARIABLE}, the address of the server, has {flaw}: expected one such as {DEFAULT_URL}")
    if not names_host(url, "http", "https"):
        shown = "it" if "@" in url else repr(url)
        raise ValueError(f"{shown} is no address of a server, expected one such as {DEFAULT_URL}")
    return url.rstrip("/")


def _version() -> str:
    try:
        return version("loresmith")
    except PackageNotFoundError:
        return "0"
