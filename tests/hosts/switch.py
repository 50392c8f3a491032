"""The network: a switch, hosts on it with addresses of their own, and the hand that pulls a cable.

All of it is inside the namespaces of this process; the interfaces of the machine are not seen from there.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

T = TypeVar("T")

_NEW_NET: Final = 0x40000000
_NOBODY_LISTENS: Final = 9
_PROBE_SECONDS: Final = 1.0
_OWN: Final = "10.77.0.254/24"


class Switch:
    """Hosts by name, each a namespace with one cable to the switch. The switch itself reaches those that are joined."""

    def __init__(self, addresses: Mapping[str, str], names: Mapping[str, list[str]], folder: Path) -> None:
        self.addresses = addresses
        """host → IPv4 address"""
        self._names = names
        self._folder = folder
        self._ports = {host: f"port{number}" for number, host in enumerate(addresses)}

    def build(self) -> None:
        """Make the switch and the hosts, with the names in their `/etc/hosts`."""
        _run("mount", "-t", "tmpfs", "none", "/run")
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", "switch", "type", "bridge")
        _run("ip", "addr", "add", _OWN, "dev", "switch")
        _run("ip", "link", "set", "switch", "up")
        for host, address in self.addresses.items():
            port = self._ports[host]
            _run("ip", "netns", "add", host)
            _run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", host)
            _run("ip", "-n", host, "addr", "add", f"{address}/24", "dev", "eth0")
            _run("ip", "-n", host, "link", "set", "eth0", "up")
            _run("ip", "-n", host, "link", "set", "lo", "up")
            _run("ip", "link", "set", port, "master", "switch", "up")
        self._name_hosts()

    def _name_hosts(self) -> None:
        listed = self._folder / "hosts"
        places = [f"{address} {name}" for name, addresses in self._names.items() for address in addresses]
        listed.write_text("\n".join(["127.0.0.1 localhost", *places, ""]))
        _run("mount", "--bind", str(listed), "/etc/hosts")

    def entered(self, host: str) -> list[str]:
        """Return the words before a command that runs it on a host, under the host's name."""
        name = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', host]
        return ["nsenter", f"--net=/run/netns/{host}", *name]

    def cut(self, host: str) -> None:
        """Take a host's cable out of the switch: what it sends, and what is sent to it, is lost without a word."""
        _run("ip", "link", "set", self._ports[host], "nomaster")

    def join(self, host: str) -> None:
        """Put the cable back."""
        _run("ip", "link", "set", self._ports[host], "master", "switch")

    async def reaches(self, here: str, there: str) -> bool:
        """Tell whether packets get from one host to another and back."""
        return await asyncio.to_thread(self.on_host, here, lambda: _answers(self.addresses[there]))

    def on_host(self, host: str, act: Callable[[], T]) -> T:
        """Do something on a host, in a thread that is there; processes that it starts are there too."""
        outcome: list[T] = []
        failure: list[BaseException] = []

        def visit() -> None:
            try:
                _enter(host)
                outcome.append(act())
            except BaseException as error:
                failure.append(error)

        visitor = threading.Thread(target=visit, name=f"on {host}")
        visitor.start()
        visitor.join()
        if failure:
            raise failure[0]
        return outcome[0]


def _enter(host: str) -> None:
    libc: Any = ctypes.CDLL(None, use_errno=True)
    namespace = os.open(f"/run/netns/{host}", os.O_RDONLY)
    try:
        if libc.setns(namespace, _NEW_NET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter the network of {host!r}")
    finally:
        os.close(namespace)


def _answers(address: str) -> bool:
    """Knock where nobody listens: a host that is there refuses."""
    try:
        socket.create_connection((address, _NOBODY_LISTENS), timeout=_PROBE_SECONDS).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


def _run(*words: str) -> None:
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")
