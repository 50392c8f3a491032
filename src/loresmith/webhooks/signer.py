"""Signs what is sent, so that a receiver knows that it comes from here and was not changed.

Source: Standard Webhooks, "Verifying webhook authenticity": HMAC-SHA256 over `id.timestamp.body`.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence


class Signer:
    """Signs with each of one or two secrets (`whsec_…`), the first first: two while one takes the other's place."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [base64.b64decode(secret.removeprefix("whsec_"), validate=True) for secret in secrets]

    def headers(self, message_id: str, body: bytes, *, now: float) -> Mapping[str, str]:
        """Return the headers by which a receiver verifies a body that is sent `now` (seconds since 1970)."""
        moment = str(int(now))
        signed = b".".join((message_id.encode(), moment.encode(), body))
        signatures = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in self._keys]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": moment,
            "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
        }
