"""Types of settings: what a value of each kind must look like."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from loresmith.pasted import find_unsendable, names_host
from loresmith.redis_url import check_redis_url

LEAST_TOKEN_LENGTH = 16
LEAST_SIGNING_LENGTH: Final = 32
"""Characters of a secret that signs tokens: RFC 7518, 3.2, asks for as many bits as the hash has."""
WEBHOOK_SECRET_BYTES: Final = (24, 64)
"""Of a secret of Standard Webhooks."""
SIGNATURES: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Algorithms (RFC 7518, RFC 8037) whose verifying key is public."""

_MOST_ROOT_PATH: Final = 200
_SEGMENT: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]+")


def default_data_dir() -> Path:
    """`$XDG_DATA_HOME/loresmith`, by default `~/.local/share/loresmith`, on every platform.

    It begins with `~` where the user has no home directory: most processes need none, and those that do say so.
    """
    path = Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share", "loresmith")
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def _expanded(path: Path) -> Path:
    """Return a path without `~`; one of a user without a home directory stays, and whoever needs it says so."""
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        if path.parts[0] == "~":
            return path
        raise ValueError("expected a path; no user is named so") from None


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _with_encoded_password(value: str) -> SplitResult:
    """Split a URL whose password is told apart from what follows it. Raises ValueError that does not show it."""
    with contextlib.suppress(ValueError):  # its own text may show the password
        parts = urlsplit(value)
        if "@" not in parts.path + parts.query + parts.fragment:
            return parts
    raise ValueError("expected the password percent-encoded: / is %2F, # is %23, ? is %3F, @ is %40")


def _sendable(value: str) -> str:
    """Return a value that fits into a header or an address. Raises ValueError that does not show it."""
    if flaw := find_unsendable(value):
        raise ValueError(f"expected printable ASCII without blanks, not {flaw}")
    return value


def _sendable_secret(value: SecretStr) -> SecretStr:
    _sendable(value.get_secret_value())
    return value


def _issuer(value: str) -> str:
    return _sendable(value) if "://" in value else value


def _redis_url(value: str) -> str:
    if re.match(r"(rediss?(\+sentinel|\+cluster)?|unix)://.", value):
        _with_encoded_password(value)
    _sendable(value)
    check_redis_url(value)
    return value


def _database_url(value: str) -> str:
    if not re.fullmatch(r"sqlite:///[^?#]+|postgres(ql)?://.+", value):
        raise ValueError("expected postgresql://user@host:port/name or sqlite:////path/to/file")
    if value.startswith("postgres"):
        parts = _with_encoded_password(value)
        if parts.netloc.count("@") > 1:
            raise ValueError("expected the password percent-encoded: @ is %40")
        _sendable(value)
    return value


def _address(value: str) -> str:
    _sendable(value)
    if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):\d{1,5}", value):
        raise ValueError("expected host:port")
    return value


def _base_url(value: str) -> str:
    if not names_host(value, "http", "https"):
        raise ValueError("expected http://… or https://…")
    _sendable(value)
    return value.rstrip("/")


def _long_enough(value: SecretStr) -> SecretStr:
    _sendable_secret(value)
    if len(value.get_secret_value()) < LEAST_TOKEN_LENGTH:
        raise ValueError(f"expected at least {LEAST_TOKEN_LENGTH} characters")
    return value


def _models(value: str) -> str:
    return ",".join(_model(name.strip()) for name in value.split(","))


def _per_provider(value: str) -> str:
    per_provider(value)
    return value


def per_provider(value: str) -> dict[str, int]:
    """`500` as {"": 500}, `openai=500,anthropic=50` as it says. Raises ValueError."""
    found: dict[str, int] = {}
    for part in value.split(","):
        name, _, number = part.strip().rpartition("=")
        if not re.fullmatch(r"[1-9]\d{0,9}", number) or not re.fullmatch(r"[a-z0-9-]*", name):
            raise ValueError("expected a number, or one a provider such as openai=500,anthropic=50")
        found[name] = int(number)
    return found


def _model(value: str) -> str:
    known = r"fake(\?.*)?|openai-compatible|[a-z0-9_-]+:.+"
    if not re.fullmatch(known, value):
        raise ValueError(
            "expected provider:model such as openai:gpt-5-mini, openai-compatible:<model>,"
            " gguf:<file> or fake?seconds=3"
        )
    return value


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key_set_url(value: str) -> str:
    parts = urlsplit(_base_url(value))
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("expected https://…: whoever can change the answer can make tokens")
    return value


def _signing_secret(value: SecretStr) -> SecretStr:
    """A passphrase may have blanks: it is never sent."""
    if flaw := find_unsendable(value.get_secret_value().replace(" ", "_")):
        raise ValueError(f"expected printable ASCII, not {flaw}")
    if len(value.get_secret_value().encode()) < LEAST_SIGNING_LENGTH:
        raise ValueError(f"expected at least {LEAST_SIGNING_LENGTH} characters")
    return value


def _webhook_secrets(value: SecretStr) -> SecretStr:
    secrets = words(value.get_secret_value())
    if not 1 <= len(secrets) <= 2 or not all(_is_webhook_secret(one) for one in secrets):
        least, most = WEBHOOK_SECRET_BYTES
        raise ValueError(f"expected whsec_ and {least} to {most} bytes in base64, or two of them with a comma between")
    return value


def _is_webhook_secret(text: str) -> bool:
    try:
        length = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except ValueError:
        return False
    return text.startswith("whsec_") and WEBHOOK_SECRET_BYTES[0] <= length <= WEBHOOK_SECRET_BYTES[1]


def words(value: str) -> tuple[str, ...]:
    """Return `a, b` as ("a", "b")."""
    return tuple(word.strip() for word in value.split(",") if word.strip())


def _signatures(value: str) -> str:
    if not words(value) or not set(words(value)) <= set(SIGNATURES):
        raise ValueError(f"expected some of {', '.join(SIGNATURES)}, with commas between them")
    return value


def _host_names(value: str) -> str:
    if not all(re.fullmatch(r"\*|[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?", word) for word in words(value)):
        raise ValueError("expected names of hosts without ports, with commas between them, or *")
    return value.lower()


def _networks(value: str) -> str:
    networks(value)
    return value


def networks(value: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Return `10.0.0.1, fd00::/8` as networks. Raises ValueError."""
    try:
        return tuple(ipaddress.ip_network(word, strict=False) for word in words(value))
    except ValueError:
        raise ValueError("expected addresses or networks such as 10.0.0.0/8, with commas between them") from None


def _origins(value: str) -> str:
    for word in words(value):
        parts = urlsplit(_sendable(word))
        if parts.scheme not in ("http", "https") or not parts.netloc or word != f"{parts.scheme}://{parts.netloc}":
            raise ValueError("expected origins such as https://app.example, with commas between them")
    return value.lower()


def root_path_of(text: str) -> str:
    """Return a path prefix as `/lore`; '' for none. Raises ValueError."""
    path = text.strip("/")
    if not path:
        return ""
    if len(path) > _MOST_ROOT_PATH or not all(_SEGMENT.fullmatch(part) for part in path.split("/")):
        raise ValueError("expected a path such as /lore, of letters, digits and . _ ~ -")
    return f"/{path}"


Lowered = BeforeValidator(_lowered)
Host = Annotated[str, AfterValidator(_sendable)]
Issuer = Annotated[str, AfterValidator(_issuer)]
Key = Annotated[SecretStr, AfterValidator(_sendable_secret)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Address = Annotated[str, AfterValidator(_address)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
ModelName = Annotated[str, AfterValidator(_model)]
ModelNames = Annotated[str, AfterValidator(_models)]
PerProvider = Annotated[str, AfterValidator(_per_provider)]
Secret = Annotated[SecretStr, AfterValidator(_long_enough)]
PathToFile = Annotated[Path, AfterValidator(_expanded)]
KeySetUrl = Annotated[str, AfterValidator(_key_set_url)]
WebhookSecrets = Annotated[SecretStr, AfterValidator(_webhook_secrets)]
SigningSecret = Annotated[SecretStr, AfterValidator(_signing_secret)]
Signatures = Annotated[str, AfterValidator(_signatures)]
HostNames = Annotated[str, AfterValidator(_host_names)]
Networks = Annotated[str, AfterValidator(_networks)]
Origins = Annotated[str, AfterValidator(_origins)]
RootPath = Annotated[str, AfterValidator(root_path_of)]
