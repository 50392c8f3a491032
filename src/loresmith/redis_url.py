"""Parts of a Redis URL: its forms, and the options that it may have.

The clients of redis-py take anything as an option. Most would change what a client returns or when it gives up, which
the engine decides: those are refused. Forms: see loresmith.jobs.connection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

_FORM: Final = re.compile(r"(rediss?(\+sentinel|\+cluster)?|unix)://.")
_TLS: Final = (
    "ssl_ca_certs",
    "ssl_ca_path",
    "ssl_ca_data",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_password",
    "ssl_cert_reqs",
    "ssl_check_hostname",
    "ssl_ciphers",
)
_CREDENTIALS: Final = ("username", "password")
_SENTINEL: Final = ("sentinel_username", "sentinel_password")
_VALUES: Final[Mapping[str, str]] = {
    "db": r"\d{1,5}",
    "ssl_cert_reqs": "none|optional|required",
    "ssl_check_hostname": "(?i:true|false|yes|no|1|0)",
}
"""What the values of some options must look like; others are any text."""
_EXPECTED: Final = {
    "db": "a number",
    "ssl_cert_reqs": "none, optional or required",
    "ssl_check_hostname": "true or false",
}


def check_redis_url(url: str) -> None:
    """Raise ValueError that shows no secret, unless the URL has a known form and only known options."""
    if not _FORM.match(url):
        raise ValueError("expected redis://host:port/db, rediss://… or unix:///path")
    parts = urlsplit(url)
    if parts.fragment:
        raise ValueError("expected no # after the address: in a password it is %23")
    read_options(parts)
    if parts.scheme in ("redis", "rediss"):
        _check_place(parts)
    elif parts.scheme != "unix":
        _check_places(parts)


def read_options(parts: SplitResult) -> dict[str, Any]:
    """Return the options of a URL, percent-decoded, as redis-py's connections take them. Raises ValueError."""
    known, found = _known_options(parts.scheme), dict[str, Any]()
    for part in filter(None, parts.query.split("&")):
        name, equals, value = part.partition("=")
        if name not in known:
            shown = f"not {name!r}" if re.fullmatch(r"[a-z_]{2,40}", name) and equals else "not another"
            why = ": rediss:// has TLS" if name.startswith("ssl_") else ""
            raise ValueError(f"expected no option but {', '.join(known) or 'none'}, {shown}{why}")
        if name in found:
            raise ValueError(f"expected the option {name!r} once")
        text = unquote(value)
        if not text or not re.fullmatch(_VALUES.get(name, ".*"), text):
            raise ValueError(f"expected {_EXPECTED.get(name, 'a value')} as option {name!r}")
        found[name] = _converted(name, text)
    return found


def _known_options(scheme: str) -> tuple[str, ...]:
    tls = _TLS if scheme.startswith("rediss") else ()
    if scheme.endswith("+sentinel"):
        return (*_SENTINEL, *tls)
    if scheme.endswith("+cluster"):
        return tls
    return ("db", *_CREDENTIALS, *tls)


def _converted(name: str, text: str) -> Any:
    if name == "db":
        return int(text)
    if name == "ssl_check_hostname":
        return text.lower() in ("true", "yes", "1")
    return text


def _check_place(parts: SplitResult) -> None:
    try:
        named = bool(parts.hostname) and (parts.port or 1)
    except ValueError:
        named = False
    if not named:
        raise ValueError("expected redis://host:port/db with a number as port")
    if not re.fullmatch(r"/?|/\d{1,5}/?", parts.path):
        raise ValueError("expected redis://host:port/db with a number as db")


def _check_places(parts: SplitResult) -> None:
    for place in parts.netloc.rpartition("@")[2].split(","):
        try:
            one = urlsplit(f"//{place}")
            named = bool(one.hostname) and (one.port or 1)
        except ValueError:
            named = False
        if not named:
            raise ValueError(f"expected {parts.scheme}://host:port,host:port with numbers as ports")
    if parts.scheme.endswith("+sentinel") and not re.fullmatch(r"/[^/]+(/|/\d{1,5}/?)?", parts.path):
        raise ValueError(f"expected {parts.scheme}://host:port/service/db: the name of the service, a number as db")
    if parts.scheme.endswith("+cluster") and parts.path not in ("", "/", "/0"):
        raise ValueError(f"expected {parts.scheme}://host:port without a path: a Cluster has no databases")
