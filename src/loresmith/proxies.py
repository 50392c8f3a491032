"""Proxies that the environment names for HTTP: which are used, which cannot be, and what goes past them.

httpx2 reads `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` in either case, takes some forms only, and raises
errors of four kinds for others, without the name of the variable.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit

from loresmith.pasted import VariableError, find_unsendable, strip_pasted

_PROXIES: Final = frozenset({"http_proxy", "https_proxy", "all_proxy"})
_SOCKS: Final = ("socks5", "socks5h")
_EXPECTED: Final = "expected http://host:port, https://… or socks5://…"


def strip_proxies() -> None:
    """Take away what surrounds a pasted value in the variables of the environment."""
    for name, value in _variables({*_PROXIES, "no_proxy"}):
        if strip_pasted(value) != value:
            os.environ[name] = strip_pasted(value)


def check_proxies() -> None:
    """Raise VariableError, in one line that shows no password, for a proxy that the HTTP library cannot use."""
    for name, value in _variables(_PROXIES):
        if flaw := find_unsendable(value):
            raise VariableError(f"{name} has {flaw}: {_EXPECTED}, or unset it")
        parts = _parts(value)
        if parts is None or parts.scheme not in ("http", "https", *_SOCKS):
            raise VariableError(f"{name} is no proxy that can be used: {_EXPECTED}, or unset it")
        if parts.scheme in _SOCKS and importlib.util.find_spec("socksio") is None:
            raise VariableError(
                f"{name} names a SOCKS proxy, for which the package 'socksio' is missing: pip install socksio,"
                f" or unset {name}"
            )


def goes_direct(url: str) -> bool:
    """Tell whether no proxy stands before a URL: it is this machine's, or `NO_PROXY` names its host.

    `NO_PROXY` has names, with or without `.` or `*.` before them for all below them, addresses, networks such as
    10.0.0.0/8, and `*`; each may have a port. Commas or blanks are between them.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".").lower()
    if is_this_machine(url):
        return True
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    entries = [entry for _, value in _variables({"no_proxy"}) for entry in re.split(r"[,\s]+", value) if entry]
    return any(_fits(entry.lower(), host, port) for entry in entries)


def is_this_machine(url: str) -> bool:
    """Tell whether a URL leads to this machine, by a name or address that no other has."""
    host = (urlsplit(url).hostname or "").lower()
    return host == "localhost" or _is_within(host, "127.0.0.0/8") or _is_within(host, "::1")


def _variables(names: set[str] | frozenset[str]) -> Iterator[tuple[str, str]]:
    for name, value in sorted(os.environ.items()):
        if name.lower() in names and value:
            yield name, value


def _parts(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        _ = parts.port  # raises for what is no number
    except ValueError:
        return None
    return parts if parts.hostname else None


def _fits(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    entry = entry.rpartition("://")[2]
    wanted = re.fullmatch(r"(\[[^\]]*\]|[^:]*):(\d+)", entry)
    if wanted is not None:
        entry = wanted[1]
        if int(wanted[2]) != port:
            return False
    entry = entry.strip("[]").removeprefix("*").removeprefix(".").rstrip(".")
    return bool(entry) and (host == entry or host.endswith(f".{entry}") or _is_within(host, entry))


def _is_within(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
