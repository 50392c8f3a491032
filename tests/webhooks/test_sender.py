"""What may be sent where: public addresses only, no redirect, and an end however the receiver behaves."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import pytest

from loresmith.webhooks import Answer, Outcome, Sender
from tests.webhooks.conftest import sender_to
from tests.webhooks.receiver import (
    Behaviour,
    Receiver,
    drip,
    flood_body,
    flood_head,
    hang_up,
    never,
    receiving,
    redirect_to,
)

HEADERS = {"webhook-id": "msg_1"}


async def test_a_receiver_gets_the_request_as_it_is(receiver: Receiver, sender: Sender) -> None:
    assert await sender.post(receiver.url(), HEADERS, b'{"a":1}') == Answer(Outcome.DELIVERED, 204)
    [got] = receiver.got
    assert (got.path, got.body) == ("/hooks?token=hush", b'{"a":1}')
    assert got.headers["webhook-id"] == "msg_1"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["host"] == f"hooks.test:{receiver.port}"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "delivered"), (299, "delivered"), (300, "rejected"), (404, "rejected"), (410, "gone"), (503, "rejected")],
)
async def test_only_2xx_counts_as_delivered(receiver: Receiver, sender: Sender, status: int, outcome: str) -> None:
    receiver.answers.append(status)
    assert await sender.post(receiver.url(), HEADERS, b"{}") == Answer(Outcome(outcome), status)


async def test_a_redirect_is_not_followed(receiver: Receiver, sender: Sender) -> None:
    async with receiving() as private:
        receiver.answers.append(redirect_to(private.url()))
        assert await sender.post(receiver.url(), HEADERS, b"{}") == Answer(Outcome.REJECTED, 307)
    assert (private.connections, receiver.connections) == (0, 1)


@pytest.mark.parametrize(
    "addresses", [["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["::ffff:127.0.0.1"], ["127.0.0.1", "127.0.0.1", "::1"]]
)
async def test_a_name_with_any_address_that_is_not_allowed_is_refused(
    receiver: Receiver, addresses: Sequence[str]
) -> None:
    sender = sender_to(receiver, addresses)
    assert await sender.post(receiver.url(), HEADERS, b"{}") == Answer(Outcome.REFUSED)
    assert receiver.connections == 0


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f000001", "127.1", "[::ffff:127.0.0.1]"])
async def test_this_machine_is_refused_under_all_its_names(receiver: Receiver, host: str) -> None:
    """With the resolver of the system, and the rule of the product."""
    answer = await Sender(tls=receiver.tls).post(receiver.url(host=host), HEADERS, b"{}")
    assert answer.outcome in (Outcome.REFUSED, Outcome.UNRESOLVED)
    assert receiver.connections == 0


async def test_a_name_that_changes_its_address_is_resolved_once(receiver: Receiver) -> None:
    """DNS rebinding: what was checked is what is connected to."""
    sender = sender_to(receiver, ["127.0.0.1"], ["127.0.0.2"])
    assert (await sender.post(receiver.url(), HEADERS, b"{}")).outcome is Outcome.DELIVERED
    assert (await sender.post(receiver.url(), HEADERS, b"{}")).outcome is Outcome.REFUSED
    assert receiver.connections == 1


async def test_an_address_that_is_dead_leaves_the_next_its_turn(receiver: Receiver) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.3", "127.0.0.1"]

    sender = Sender(tls=receiver.tls, resolve=resolve, is_allowed=lambda _: True)
    assert (await sender.post(receiver.url(), HEADERS, b"{}")).outcome is Outcome.DELIVERED


@pytest.mark.parametrize("behaviour", [never, drip])
async def test_a_slow_receiver_is_given_up(receiver: Receiver, behaviour: Behaviour) -> None:
    receiver.answers.append(behaviour)
    start = time.monotonic()
    assert await sender_to(receiver, seconds=0.5).post(receiver.url(), HEADERS, b"{}") == Answer(Outcome.TIMEOUT)
    assert time.monotonic() - start < 5


async def test_a_resolver_that_hangs_is_given_up(receiver: Receiver) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    sender = Sender(tls=receiver.tls, resolve=resolve, seconds=0.2)
    assert await sender.post(receiver.url(), HEADERS, b"{}") == Answer(Outcome.TIMEOUT)


async def test_the_body_of_an_answer_is_not_read(receiver: Receiver, sender: Sender) -> None:
    receiver.answers.append(flood_body)
    assert await sender.post(receiver.url(), HEADERS, b"{}") == Answer(Outcome.DELIVERED, 200)


@pytest.mark.parametrize("behaviour", [flood_head, hang_up])
async def test_an_answer_that_is_none_is_a_failure(receiver: Receiver, sender: Sender, behaviour: Behaviour) -> None:
    receiver.answers.append(behaviour)
    assert await sender.post(receiver.url(), HEADERS, b"{}") == Answer(Outcome.UNREACHABLE)


async def test_a_certificate_for_another_name_is_refused(receiver: Receiver, sender: Sender) -> None:
    assert await sender.post(receiver.url(host="other.test"), HEADERS, b"{}") == Answer(Outcome.TLS)
    assert receiver.got == []


async def test_a_certificate_of_an_unknown_authority_is_refused(receiver: Receiver) -> None:
    async with receiving() as stranger:
        assert await sender_to(receiver).post(stranger.url(), HEADERS, b"{}") == Answer(Outcome.TLS)


@pytest.fixture
async def plain_port() -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_a_receiver_without_tls_gets_nothing(receiver: Receiver, sender: Sender, plain_port: int) -> None:
    assert await sender.post(f"https://hooks.test:{plain_port}/", HEADERS, b"{}") == Answer(Outcome.TLS)


async def test_a_proxy_of_the_environment_is_passed_by(
    receiver: Receiver, sender: Sender, plain_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{plain_port}")
    assert (await sender.post(receiver.url(), HEADERS, b"{}")).outcome is Outcome.DELIVERED


async def test_nobody_there(receiver: Receiver, sender: Sender) -> None:
    async with receiving() as gone:
        url = gone.url()
    assert await sender.post(url, HEADERS, b"{}") == Answer(Outcome.UNREACHABLE)


async def test_a_name_without_address(receiver: Receiver) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError("no such host")

    for sender in (Sender(tls=receiver.tls, resolve=resolve), sender_to(receiver, [])):
        assert await sender.post(receiver.url(), HEADERS, b"{}") == Answer(Outcome.UNRESOLVED)
