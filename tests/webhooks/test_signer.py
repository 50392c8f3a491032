"""Signatures, as the library of Standard Webhooks verifies them."""

import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from loresmith.webhooks import Signer
from tests.webhooks.conftest import OTHER_SECRET, SECRET

BODY = b'{"type":"job.completed","n":"\xc3\xa9"}'


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_whoever_has_one_of_two_secrets_can_verify(secret: str) -> None:
    headers = dict(Signer([SECRET, OTHER_SECRET]).headers("msg_1", BODY, now=time.time()))
    assert Webhook(secret).verify(BODY, headers) == {"type": "job.completed", "n": "é"}
    assert len(headers["webhook-signature"].split()) == 2


def test_the_first_secret_signs_first() -> None:
    both, one = Signer([SECRET, OTHER_SECRET]), Signer([SECRET])
    first = both.headers("msg_1", BODY, now=1e9)["webhook-signature"].split()[0]
    assert first == one.headers("msg_1", BODY, now=1e9)["webhook-signature"]


@pytest.mark.parametrize(
    ("secret", "body", "changed"),
    [
        (OTHER_SECRET, BODY, {}),
        (SECRET, BODY + b" ", {}),
        (SECRET, BODY, {"webhook-id": "msg_2"}),
        (SECRET, BODY, {"webhook-timestamp": str(int(time.time()) + 1)}),
    ],
)
def test_what_was_changed_or_signed_by_another_is_noticed(secret: str, body: bytes, changed: dict[str, str]) -> None:
    headers = {**Signer([SECRET]).headers("msg_1", BODY, now=time.time()), **changed}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)
