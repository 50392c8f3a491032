"""Connects to public addresses only: a name is resolved once, all its addresses are checked, one of these is used."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, cast

import httpcore2

from loresmith.webhooks.addresses import is_public

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host. Raises OSError where it has none."""

_RESOLVERS: Final = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolve")
"""Of their own: a name server that does not answer must not hold up what else waits for a thread."""
_MOST_ADDRESSES: Final = 3
_CONNECT_SECONDS: Final = 4.0
"""For each address, so that one that is dead leaves time for the next."""


class UnresolvedError(Exception):
    """The name of the receiver has no address."""


class RefusedAddressError(Exception):
    """The name of the receiver leads, or leads also, to an address that is not public."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses that the system has for a name, in its order."""

    def ask() -> list[str]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(one[4][0]) for one in found))

    return await asyncio.get_running_loop().run_in_executor(_RESOLVERS, ask)


class PublicNetwork(httpcore2.AsyncNetworkBackend):
    """Opens connections for one HTTP client; a name is resolved once for a connection (DNS rebinding)."""

    def __init__(self, *, resolve: Resolve = resolve, is_allowed: Callable[[str], bool] = is_public) -> None:
        self._resolve = resolve
        self._is_allowed = is_allowed
        self._inner = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the signature of httpcore; the sender bounds the whole
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to a checked address of a host. Raises UnresolvedError, RefusedAddressError, httpcore2 errors."""
        failure: Exception | None = None
        for address in (await self._checked(host, port))[:_MOST_ADDRESSES]:
            try:
                return await self._inner.connect_tcp(
                    address, port, _CONNECT_SECONDS, local_address=local_address, socket_options=socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or UnresolvedError

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise UnresolvedError from None
        if not all(self._is_allowed(address) for address in addresses):
            raise RefusedAddressError
        return addresses
