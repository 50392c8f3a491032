"""Who may call the service: over which connections, and with which token."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import grpc

from loresmith.llm.tls import TlsFiles

METADATA_KEY: Final = "authorization"
_SCHEME: Final = "Bearer "


class ExposedError(OSError):
    """The service would be open to whoever reaches its address."""


@dataclass(frozen=True, slots=True)
class Access:
    """A token that callers must show, TLS, both, or neither.

    `anyone` says that the service may be open to whoever reaches it.
    """

    token: str | None = field(default=None, repr=False)
    tls: TlsFiles | None = None
    anyone: bool = False

    def admits(self, metadata: Mapping[str, str | bytes]) -> bool:
        """Whether a call with this metadata shows the token."""
        if self.token is None:
            return True
        shown = metadata.get(METADATA_KEY, "")
        text = shown.decode(errors="replace") if isinstance(shown, bytes) else shown
        return hmac.compare_digest(text.encode(), f"{_SCHEME}{self.token}".encode())

    def credentials(self) -> grpc.ServerCredentials | None:
        """What the server's port is opened with; None: without TLS. Raises ValueError naming a file that is wrong."""
        return self.tls.for_server() if self.tls else None

    def check_exposure(self, address: str) -> None:
        """Raises ExposedError when strangers could call at `address`."""
        host = address.rpartition(":")[0].strip("[]")
        guarded = self.token is not None or (self.tls is not None and self.tls.authority is not None)
        if not (guarded or self.anyone or _is_loopback(host)):
            raise ExposedError(
                f"the lore service would let anyone who reaches {address!r} use its keys: set LORESMITH_LORE_TOKEN, or"
                " LORESMITH_LORE_TLS_CA for client certificates, or LORESMITH_LORE_ALLOW_ANYONE=true"
            )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
