"""Real Valkey servers on free loopback ports: alone, as a primary with a replica and a Sentinel, as a Cluster."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from loresmith.embedded.redis import find_server

SLOTS = 16_384
_READY_SECONDS = 30.0


def free_port() -> int:
    """Return a port that is free, and whose neighbour for the Cluster bus (10,000 above) can exist."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 50_000:
            return port


def until(condition: Callable[[], Any], *, seconds: float = _READY_SECONDS) -> Any:
    """Return the first truthy value of a condition that may raise while servers are away."""
    ends = time.monotonic() + seconds
    while True:
        found: Any = None
        with contextlib.suppress(redis.RedisError, OSError):
            found = condition()
        if found:
            return found
        if time.monotonic() > ends:
            raise TimeoutError(f"{condition!r}: still {found!r} after {seconds} s")
        time.sleep(0.02)


@dataclass
class Server:
    """One server process, which a test may kill and start again on the same port."""

    folder: Path
    options: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    password: str | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        """Start the server and return when it answers."""
        self.folder.mkdir(exist_ok=True)
        words = ["--port", str(self.port), "--dir", str(self.folder), "--save", "", "--bind", "127.0.0.1"]
        return self.start_with([*words, "--logfile", str(self.folder / "log"), *self.options])

    def start_with(self, words: Sequence[str]) -> Server:
        """Start the server program with these words and return when it answers."""
        self.process = subprocess.Popen([str(find_server()), *words], stdin=subprocess.DEVNULL)
        until(self._answers)
        return self

    def _answers(self) -> bool:
        with self.client as client:
            return bool(client.ping())

    @property
    def client(self) -> Any:
        """A blocking client that never retries; replies are text."""
        return self.client_of(0)

    def client_of(self, database: int) -> Any:
        """Do as `client`, for another database."""
        retry = Retry(NoBackoff(), 0)
        return redis.Redis(
            port=self.port, db=database, password=self.password, decode_responses=True, socket_timeout=5.0, retry=retry
        )

    def ask(self, *words: Any) -> Any:
        """Send one command on a connection of its own."""
        with self.client as client:
            return client.execute_command(*words)

    def kill(self) -> None:
        """Kill the process at once (SIGKILL)."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the process; harmless when it has ended."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def running(server: Server) -> Generator[Server]:
    """A server that ends with the block."""
    try:
        yield server.start()
    finally:
        server.stop()


@dataclass
class Pair:
    """A primary and its replica, watched by a Sentinel that fails over after half a second; all ask for passwords."""

    folder: Path
    password: str = "of the pair"
    sentinel_password: str = "of the sentinel"
    servers: list[Server] = field(default_factory=list[Server])
    sentinel: Server = field(init=False)
    service: str = "lore"

    def start(self) -> Pair:
        """Start all three and return when the Sentinel knows the replica."""
        options = ["--requirepass", self.password, "--primaryauth", self.password, "--repl-diskless-sync-delay", "0"]
        primary = Server(self.folder / "a", options, password=self.password).start()
        follow = [*options, "--replicaof", f"127.0.0.1 {primary.port}"]
        self.servers = [primary, Server(self.folder / "b", follow, password=self.password).start()]
        self._start_sentinel(primary.port)
        until(lambda: self.replicas_in_step() == 1)
        until(lambda: self.sentinel.ask("SENTINEL", "replicas", self.service))
        return self

    def _start_sentinel(self, primary_port: int) -> None:
        self.sentinel = Server(self.folder / "s", password=self.sentinel_password)
        self.sentinel.folder.mkdir()
        config = self.sentinel.folder / "sentinel.conf"
        config.write_text(
            f"port {self.sentinel.port}\nbind 127.0.0.1\ndir {config.parent}\nlogfile {config.parent}/log\n"
            f"sentinel monitor {self.service} 127.0.0.1 {primary_port} 1\n"
            f'requirepass "{self.sentinel_password}"\nsentinel auth-pass {self.service} "{self.password}"\n'
            f"sentinel down-after-milliseconds {self.service} 500\nsentinel failover-timeout {self.service} 2000\n",
            encoding="utf-8",
        )
        self.sentinel.start_with([str(config), "--sentinel"])

    @property
    def primary(self) -> Server:
        """The server that the Sentinel names."""
        port = int(self.sentinel.ask("SENTINEL", "get-master-addr-by-name", self.service)[1])
        return next(server for server in self.servers if server.port == port)

    @property
    def replica(self) -> Server:
        """The other one."""
        return next(server for server in self.servers if server is not self.primary)

    def replicas_in_step(self) -> int:
        """How many replicas follow the primary."""
        return int(self.primary.ask("INFO", "replication").get("connected_slaves", 0))

    @property
    def url(self) -> str:
        """The address in the form that the engine takes."""
        asked = f"sentinel_password={quote(self.sentinel_password)}"
        return f"redis+sentinel://:{quote(self.password)}@127.0.0.1:{self.sentinel.port}/{self.service}/0?{asked}"

    def stop(self) -> None:
        """End all three."""
        for server in (self.sentinel, *self.servers):
            server.stop()


@dataclass
class Cluster:
    """Three primaries that share the slots."""

    folder: Path
    nodes: list[Server] = field(default_factory=list[Server])

    def start(self) -> Cluster:
        """Start the nodes, join them, and return when each says that all slots are served."""
        options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--appendonly", "yes"]
        self.nodes = [Server(self.folder / name, options).start() for name in "abc"]
        for index, node in enumerate(self.nodes):
            first, last = SLOTS * index // 3, SLOTS * (index + 1) // 3 - 1
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
        for node in self.nodes[1:]:
            node.ask("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port)
        self.until_whole()
        return self

    def until_whole(self) -> None:
        """Return when every node says that all slots are served by reachable nodes."""
        for node in self.nodes:
            until(lambda node=node: _whole(node))

    def node_of(self, key: str) -> Server:
        """The node that serves a key."""
        return self.nodes[int(self.nodes[0].ask("CLUSTER", "KEYSLOT", key)) * 3 // SLOTS]

    @property
    def url(self) -> str:
        """The address in the form that the engine takes; two of the nodes are enough to find the third."""
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port},127.0.0.1:{self.nodes[1].port}"

    def stop(self) -> None:
        """End the nodes."""
        for node in self.nodes:
            node.stop()


def _whole(node: Server) -> bool:
    told = str(node.ask("CLUSTER", "INFO"))
    return "cluster_state:ok" in told and f"cluster_slots_ok:{SLOTS}" in told
