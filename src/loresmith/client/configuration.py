"""Where the server is, which key is shown to it, and how long it is waited for."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from urllib.parse import urlsplit

import httpx2

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
        """Return it, with what is None from the environment. Raises ValueError for an address that is none."""
        url = base_url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
        key = api_key or os.environ.get(KEY_VARIABLE) or None
        if not key_can_be_sent(key):
            raise ValueError("the API key has characters that no header can carry, expected printable ASCII")
        return cls(_checked(url), key, timeout_seconds, retries, patience_seconds)

    @property
    def headers(self) -> Mapping[str, str]:
        """What every request carries."""
        shown = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        return {"Accept": "application/json", "User-Agent": f"loresmith-python/{_version()}", **shown}

    @property
    def trusts_environment(self) -> bool:
        """Whether proxies of the environment are used: a server on this machine is not behind one."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return not ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host != "localhost"

    def timeout(self, *, held_seconds: float = 0.0, silent_seconds: float | None = None) -> httpx2.Timeout:
        """Return the limits of a request: an answer that is held back may take that much longer."""
        read = self.timeout_seconds + held_seconds if silent_seconds is None else silent_seconds
        return httpx2.Timeout(self.timeout_seconds, connect=min(CONNECT_SECONDS, self.timeout_seconds), read=read)


def key_can_be_sent(key: str | None) -> bool:
    """Tell whether a key fits into a header."""
    return key is None or (key.isascii() and key.isprintable() and key == key.strip())


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1)
    except ValueError:
        named = False
    if not named:
        raise ValueError(f"{url!r} is no address of a server, expected one such as {DEFAULT_URL}")
    return url.rstrip("/")


def _version() -> str:
    try:
        return version("loresmith")
    except PackageNotFoundError:
        return "0"
