"""The recorded jobs: one file for each model and kind, one line a job."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One job: its number in the order of starts, when that was, what it took, and its checkpoints."""

    number: int
    at: int
    total_ms: int
    course: list[int]
    """Part, mark, and the milliseconds since the checkpoint before, flat."""
    silences: list[int]
    """Start and length in ms, flat, of each stretch in which the model gave no sign of life."""

    @property
    def seconds(self) -> float:
        """What the job took."""
        return self.total_ms / 1000

    def marks(self) -> Iterator[tuple[int, int, float]]:
        """Yield part, mark and the seconds since the start, in order."""
        ms = 0
        for part, mark, delta in zip(self.course[::3], self.course[1::3], self.course[2::3], strict=True):
            ms += delta
            yield part, mark, ms / 1000

    def line(self) -> str:
        """Return the job as it is kept."""
        fields = [self.number, self.at, self.total_ms, self.course, self.silences]
        return json.dumps(fields, separators=(",", ":"))


def read_file(path: Path) -> list[Recorded]:
    """Return the jobs of a file by number, none when there is no file."""
    if not path.exists():
        return []
    return sorted((Recorded(*json.loads(line)) for line in path.read_text().splitlines()), key=lambda one: one.number)
