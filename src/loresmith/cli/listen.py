"""The address of the API, taken before anything slow starts."""

from __future__ import annotations

import errno
import socket

from loresmith.cli.stack import StartError
from loresmith.setting_types import is_loopback
from loresmith.settings import Settings

_BACKLOG = 2048


def check_exposure(settings: Settings) -> None:
    """Raise StartError when whoever reaches the address would be the local owner, and others than this machine can."""
    if settings.auth != "none" or settings.allow_anonymous:
        return
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        return  # `bind` says what is wrong with it
    if not all(is_loopback(str(address[0])) for *_, address in found):
        raise StartError(
            f"the API would let anyone who reaches {settings.host!r} do everything: set LORESMITH_AUTH=keys or jwt,"
            " or LORESMITH_ALLOW_ANONYMOUS=1"
        )


def bind(host: str, port: int, *, setting: str = "") -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises StartError that names the `setting` of its address."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        taken = socket.socket(family, kind, protocol)
    except UnicodeError:  # a label of the name is empty or too long
        raise StartError(f"{setting or 'LORESMITH_HOST'}: {host!r} is no name of a host") from None
    except OSError as error:
        raise StartError(_refused(host, port, error, setting)) from None
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        taken.listen(_BACKLOG)
    except OSError as error:
        taken.close()
        raise StartError(_refused(host, port, error, setting)) from None
    return taken


def url_of(bound: socket.socket) -> str:
    """The address under which `bound` is reached from this machine."""
    address, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, str(address))  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _refused(host: str, port: int, error: OSError, setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host!r} is in use: stop what uses it, or set {setting or 'LORESMITH_PORT'}"
    reason = (error.strerror or str(error)).lower()
    return f"cannot listen on {host!r} port {port} ({reason}): see {setting or 'LORESMITH_HOST, LORESMITH_PORT'}"
