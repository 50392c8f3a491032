"""Sends one request to a receiver: in 15 s at the most, to a public address, with no redirect followed."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from typing import Final

import httpcore2

from loresmith.webhooks.addresses import is_public
from loresmith.webhooks.network import PublicNetwork, RefusedAddressError, Resolve, UnresolvedError, resolve

SECONDS: Final = 15.0
"""For all of it: resolving, connecting, sending, and the head of the answer."""
_GONE: Final = 410


class Outcome(StrEnum):
    """What came of a try."""

    STARTED = "started"
    """Under way; or cut off, by the end of the process that was at it."""
    DELIVERED = "delivered"
    """The receiver answered 2xx."""
    REJECTED = "rejected"
    """It answered something else."""
    GONE = "gone"
    """It answered 410: it wants nothing more of this."""
    TIMEOUT = "timeout"
    UNRESOLVED = "unresolved"
    """Its name has no address."""
    REFUSED = "refused"
    """Its address is not public, so nothing was sent."""
    TLS = "tls"
    """Its certificate could not be verified, or it speaks no TLS."""
    UNREACHABLE = "unreachable"
    """No connection, or one that broke."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request; `status` is that of HTTP, where the receiver answered."""

    outcome: Outcome
    status: int | None = None


class Sender:
    """Sends over connections of its own for each request, straight to the receiver whatever proxy is configured.

    The body of an answer is never read. `allow_private` is for development: it lets private addresses through.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = resolve,
        is_allowed: Callable[[str], bool] = is_public,
    ) -> None:
        self._seconds = seconds
        self._tls = tls or httpcore2.default_ssl_context()
        self._resolve = resolve
        self._is_allowed: Callable[[str], bool] = (lambda _: True) if allow_private else is_allowed
        self._agent = f"LoreSmith/{version('loresmith')} (webhooks)"

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a JSON body, and return what came of it; raises nothing that a receiver can cause."""
        try:
            async with asyncio.timeout(self._seconds):
                return _judged(await self._post(url, headers, body))
        except TimeoutError:
            return Answer(Outcome.TIMEOUT)
        except UnresolvedError:
            return Answer(Outcome.UNRESOLVED)
        except RefusedAddressError:
            return Answer(Outcome.REFUSED)
        except httpcore2.TimeoutException:
            return Answer(Outcome.TIMEOUT)
        except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError, OSError) as error:
            return Answer(Outcome.TLS if _is_of_tls(error) else Outcome.UNREACHABLE)

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Return the status of the answer; its body is left unread, and the connection is closed."""
        network = PublicNetwork(resolve=self._resolve, is_allowed=self._is_allowed)
        own = {"content-type": "application/json", "user-agent": self._agent, "accept": "*/*"}
        sent = [(name, value) for name, value in {**headers, **own}.items()]
        async with (
            httpcore2.AsyncConnectionPool(ssl_context=self._tls, network_backend=network) as pool,
            pool.stream("POST", url, headers=sent, content=body) as response,
        ):
            return response.status


def _judged(status: int) -> Answer:
    if 200 <= status < 300:
        return Answer(Outcome.DELIVERED, status)
    return Answer(Outcome.GONE if status == _GONE else Outcome.REJECTED, status)


def _is_of_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
