"""A job as clients see it, put together from what is stored without decoding what they sent."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from loresmith.jobs.types import Job, State, Status, decode_input, due_ms_of, encode_job


class Glance(msgspec.Struct):
    """The few fields of a stored document that readers need; the rest is skipped, not built."""

    id: str
    type: str
    status: Status
    state: State
    done: bool
    seq: int
    created_at: str
    attempt: int = 0
    rescues: int = 0
    run_at: str | None = None
    owner: str = ""
    internal: bool = False
    tags: list[str] = []
    poll_after_ms: int = 3000


_glance: Final = msgspec.json.Decoder(Glance).decode


class Shown:
    """A document at one moment, with the cancel mark taken into account: what `status`, `state` and `seq` clients see.

    A mark that stands is a visible change of its own, so that it counts one `seq` until the job ends.
    """

    __slots__ = ("document", "glance")

    def __init__(self, document: bytes, *, cancelling: bool = False) -> None:
        self.glance = glance = _glance(document)
        if cancelling and not glance.done:
            stored = _head(glance)
            glance.status, glance.state = Status.PROCESSING, State.CANCELLING
            glance.seq += 1
            document = document.replace(stored, _head(glance), 1)
        self.document = document


def _head(glance: Glance) -> bytes:
    """Return the fields that a cancel mark changes, as they follow each other at the start of a document."""
    return b'"status":"%b","state":"%b","done":false,"seq":%d' % (
        glance.status.encode(),
        glance.state.encode(),
        glance.seq,
    )


class JobView(Shown):
    """The whole job: its document, its finished items while it has no result, and, if asked for, its payload."""

    __slots__ = ("_items", "_payload", "expected_start", "position")

    def __init__(
        self, document: bytes, items: Sequence[bytes] = (), *, cancelling: bool = False, submitted: bytes = b""
    ) -> None:
        super().__init__(document, cancelling=cancelling)
        self._items = items
        self._payload = decode_input(submitted).payload if submitted else None
        self.position: int | None = None
        """Its place among those that wait, from 1; roughly, and only while it is pending."""
        self.expected_start: str | None = None
        """When it is about to start by the rate at which jobs ended of late; None where too few did."""

    @classmethod
    def of_new(cls, job: Job) -> "JobView":
        """Return the view of a job that was just created."""
        return cls(encode_job(job))

    @classmethod
    def of(cls, reply: Sequence[Any]) -> "JobView":
        """Return the view of what the script read replied."""
        return cls(reply[0], reply[3:], cancelling=bool(reply[1]), submitted=reply[2])

    @property
    def due_ms(self) -> int:
        """The time in ms by which the job must have started: so it is filed in its queue."""
        return due_ms_of(self.glance.created_at, self.glance.run_at)

    @property
    def body(self) -> bytes:
        """The job as JSON."""
        place = b"null"
        if self.position is not None:
            start = b"null" if self.expected_start is None else b'"%b"' % self.expected_start.encode()
            place = b'{"position":%d,"expected_start":%b}' % (self.position, start)
        payload = b"" if self._payload is None else b',"payload":%b' % bytes(self._payload)
        return b'%b,"queue":%b%b,"items":[%b]}' % (
            self.document[:-1],
            place,
            payload,
            b",".join(in_order(self._items)) if self._items else b"",
        )


def in_order(items: Mapping[bytes, bytes] | Sequence[bytes]) -> list[bytes]:
    """Return the finished items of a checkpoint by index, without its named steps."""
    return [value for _, value in sorted((int(name), value) for name, value in pairs_of(items) if name.isdigit())]


def pairs_of(items: Mapping[bytes, bytes] | Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Return a hash as RESP3 (a map), RESP2 or a script (flat) sends it, as pairs."""
    if isinstance(items, Mapping):
        return list(items.items())
    return list(zip(items[::2], items[1::2], strict=True))
