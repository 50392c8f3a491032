"""The same engine on every kind of Redis that a URL can name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.redis.conftest import Engine
from tests.topologies.rights import documented_rights
from tests.topologies.servers import Cluster, Pair, Server, running
from tests.topologies.tls import tls_in_front_of

KINDS = ("password", "user", "tls", "sentinel", "cluster")
_PASSWORD = "p@ss: w/rd?"

_DATABASE = 3


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a password for the default user and a user who may do what the engine needs, and no more."""
    folder = tmp_path_factory.mktemp("secured")
    with running(Server(folder, ["--requirepass", _PASSWORD], password=_PASSWORD)) as server:
        server.ask(*documented_rights(_PASSWORD))
        yield server


@pytest.fixture(scope="session")
def steady_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A pair that no test harms."""
    pair = Pair(tmp_path_factory.mktemp("pair"))
    yield pair.start()
    pair.stop()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """A pair of the test's own."""
    pair = Pair(tmp_path)
    yield pair.start()
    pair.stop()


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Cluster that lives as long as the tests do."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster.start()
    cluster.stop()


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Iterator[Cluster]:
    """That Cluster, whole and empty; afterwards every key in it must have a lifetime."""
    yield from _clean(shared_cluster, shared_cluster.nodes)


@pytest.fixture
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of an empty Redis of the kind that the test is given."""
    kind: str = request.param
    async with AsyncExitStack() as stack:
        if kind == "cluster":
            yield request.getfixturevalue("cluster").url
            return
        if kind == "sentinel":
            pair: Pair = request.getfixturevalue("steady_pair")
            server, address = pair.primary, pair.url
        else:
            server = request.getfixturevalue("secured")
            secret = quote(_PASSWORD, safe="")
            address = f"redis://:{secret}@127.0.0.1:{server.port}/{_DATABASE}"
            if kind == "user":
                address = f"redis://loresmith:{secret}@127.0.0.1:{server.port}/{_DATABASE}"
            if kind == "tls":
                port, trusted = await stack.enter_async_context(tls_in_front_of(server.port, tmp_path))
                address = f"rediss://loresmith:{secret}@127.0.0.1:{port}/{_DATABASE}?ssl_ca_certs={quote(str(trusted))}"
        for _ in _clean(server, [server]):
            yield address


@pytest.fixture
async def engine(url: str) -> AsyncIterator[Engine]:
    async with AsyncExitStack() as stack:
        yield Engine(url, stack)


def _clean(thing: Any, servers: list[Server]) -> Iterator[Any]:
    for server in servers:
        server.ask("FLUSHALL")
    yield thing
    immortal = [name for server in servers for name in keys_without_lifetime(server)]
    assert immortal == [], f"keys without a TTL: {immortal}"


def keys_without_lifetime(server: Server) -> list[str]:
    """Keys that would stay for ever, but for streams and the indexes of queues, in the database that is in use."""
    databases = [_DATABASE, 0] if server.password == _PASSWORD else [0]
    found: list[str] = []
    for database in databases:
        with server.client_of(database) as client:
            names: list[str] = list(client.scan_iter(count=1000))
            found += [name for name in names if client.ttl(name) == -1 and not name.startswith("queue:{")]
    return sorted(found)
