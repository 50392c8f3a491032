"""When the parts of one job reached their checkpoints, in the compact form in which it is kept."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

MOST_MARKS: Final = 600
"""Of one job; later ones are not noted."""


class Trace(msgspec.Struct, array_like=True):
    """What is kept of a job that completed in one go: `[version, ended at, ms, residuals, part, mark, ms, …]`.

    `course` is flat: part, mark, and the milliseconds since the checkpoint before it. `residuals` says, for each
    stage of the job, how far off the estimate was that clients saw then; see loresmith.jobs.residuals.
    """

    v: int
    ended_ms: int
    total_ms: int
    residuals: list[int]
    course: list[int]

    def marks(self) -> Iterator[tuple[int, int, float]]:
        """Yield part, mark and the seconds since the start, in order."""
        ms = 0
        for at in range(0, len(self.course) - 2, 3):
            ms += self.course[at + 2]
            yield self.course[at], self.course[at + 1], ms / 1000

    @property
    def seconds(self) -> float:
        """What the job took."""
        return self.total_ms / 1000


TRACE_VERSION: Final = 1
_decode: Final = msgspec.json.Decoder(Trace).decode
encode_trace: Final = msgspec.json.Encoder().encode


def decode_traces(entries: Sequence[bytes]) -> list[Trace]:
    """Return those entries of a profile that this release understands."""
    traces: list[Trace] = []
    for entry in entries:
        try:
            trace = _decode(entry)
        except msgspec.DecodeError:
            continue
        if trace.v == TRACE_VERSION and trace.total_ms > 0:
            traces.append(trace)
    return traces


class Course:
    """The checkpoints of a running job as they come; of a part that says the same again only the first counts."""

    __slots__ = ("_last_ms", "_latest", "flat")

    def __init__(self) -> None:
        self.flat: list[int] = []
        self._latest: dict[int, int] = {}
        self._last_ms = 0

    def note(self, part: int, mark: int, elapsed_seconds: float) -> bool:
        """Take in that a part reached a checkpoint; False when it was there already."""
        if self._latest.get(part) == mark:
            return False
        self._latest[part] = mark
        if len(self.flat) < MOST_MARKS * 3:
            ms = int(elapsed_seconds * 1000)
            self.flat += (part, mark, max(0, ms - self._last_ms))
            self._last_ms = max(ms, self._last_ms)
        return True
