"""Cursors of listings: the place of a row in the order of time, opaque to clients."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from loresmith.db.errors import CursorError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Behind the row with this time and id, newest first."""

    moment: datetime
    id: str

    def encode(self) -> str:
        """Return it as text for a client."""
        micros = (self.moment - _EPOCH) // _MICROSECOND
        return base64.urlsafe_b64encode(micros.to_bytes(8, "big") + UUID(self.id).bytes).decode()

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Return what `encode` made. Raises CursorError."""
        try:
            raw = base64.b64decode(text, altchars=b"-_", validate=True)
            moment = _EPOCH + int.from_bytes(raw[:8], "big") * _MICROSECOND
            return cls(moment, str(UUID(bytes=raw[8:])))
        except (binascii.Error, ValueError, OverflowError):
            raise CursorError from None
