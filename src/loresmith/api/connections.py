"""Bounds of the connections of a server: how many of one address, and how long each may take for what."""

import ipaddress
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

log = structlog.get_logger(__name__)

_WARNED_EVERY_SECONDS: Final = 60.0

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client may take, in seconds: for a head, for a body, and without reading any of an answer."""

    head_seconds: float = 10.0
    body_seconds: float = 30.0
    read_seconds: float = 60.0


@dataclass(slots=True)
class Connections:
    """The open connections of a server, by address.

    At most `most` are taken of one address (0: any number), but for this machine and the `trusted` networks: a proxy
    brings the connections of all its clients.
    """

    most: int = 0
    trusted: Sequence[Network] = ()
    patience: Patience = Patience()
    _open: Counter[str] = field(default_factory=Counter[str])
    _warned_at: float = float("-inf")

    def admit(self, address: str) -> bool:
        """Count a new connection; False when the address has as many as it may. `leave` it in either case."""
        if not self.most:
            return True
        self._open[address] += 1
        if self._open[address] <= self.most or self._is_trusted(address):
            return True
        if time.monotonic() - self._warned_at >= _WARNED_EVERY_SECONDS:
            self._warned_at = time.monotonic()
            log.warning("connections_refused", address=address, most=self.most)
        return False

    def leave(self, address: str) -> None:
        """Take in that a connection has ended."""
        self._open[address] -= 1
        if self._open[address] <= 0:
            del self._open[address]

    def _is_trusted(self, address: str) -> bool:
        try:
            found: Address = ipaddress.ip_address(address)
        except ValueError:
            return True  # of a socket of this machine
        if isinstance(found, ipaddress.IPv6Address):
            found = found.ipv4_mapped or found
        return found.is_loopback or any(found in network for network in self.trusted)
