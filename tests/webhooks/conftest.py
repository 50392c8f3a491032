"""A receiver on loopback, and a sender that takes loopback for the public internet: the only address it may reach."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from loresmith.webhooks import Sender
from tests.webhooks.receiver import Receiver, receiving

SECRET = "whsec_" + "YSBzZWNyZXQgb2YgMjQgYnl0ZXMhISEh"
OTHER_SECRET = "whsec_" + "YW5vdGhlciBvbmUsIG9mIDI0IGJ5dGVz"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


@pytest.fixture
def sender(receiver: Receiver) -> Sender:
    return sender_to(receiver)


def sender_to(receiver: Receiver, *answers: Sequence[str], seconds: float = 60.0) -> Sender:
    """A sender for which every name has the addresses of `answers`, one answer after the other, or is on loopback."""
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return left.pop(0) if left else ["127.0.0.1"]

    return Sender(tls=receiver.tls, resolve=resolve, is_allowed=lambda one: one == "127.0.0.1", seconds=seconds)
