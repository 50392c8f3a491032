"""Compare estimators of progress on recorded jobs: `make bench-progress`.

The first half of the jobs of each kind is only learned from, the second half is judged, in the order of their
starts; each job is learned from when it has ended.
"""

import argparse
import random
import statistics
from collections.abc import Sequence
from pathlib import Path

from benchmarks.progress.estimators import make, names
from benchmarks.progress.recorded import DATA, read_file
from benchmarks.progress.replay import Marks, replay

BASELINE = "fixed 30 s"
_RESAMPLES = 2000


def main() -> None:
    """Print a table for each model that was recorded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--by-kind", action="store_true")
    options = parser.parse_args()
    for folder in sorted(path for path in options.data.iterdir() if path.is_dir()):
        random.seed(1)
        _report(folder, by_kind=options.by_kind)


def _report(folder: Path, *, by_kind: bool) -> None:
    kinds = {path.stem: read_file(path) for path in sorted(folder.glob("*.jsonl"))}
    print(f"\n## {folder.name}: " + ", ".join(f"{len(jobs)} {kind}" for kind, jobs in kinds.items()))
    results: dict[str, list[Marks]] = {}
    for name in names():
        results[name] = [
            marks for kind, jobs in kinds.items() for marks in replay(make(name, kind), jobs, kind, len(jobs) // 2)
        ]
    _table(results)
    if by_kind:
        for kind in kinds:
            print(f"\n### {kind}")
            _table({name: [one for one in marks if one.kind == kind] for name, marks in results.items()})


def _table(results: dict[str, list[Marks]]) -> None:
    columns = ("estimator", "jobs", "mean error", "p90", "back", "stand-still p95 s", "final jump", "coverage", "width")
    columns += ("µs/event", "µs/estimate", "error less than fixed")
    print("\n| " + " | ".join(columns) + " |\n|---|" + "--:|" * (len(columns) - 1))
    for name, marks in results.items():
        print(f"| {name} | {len(marks)} | " + " | ".join(_cells(marks, results[BASELINE])) + " |")


def _cells(marks: Sequence[Marks], baseline: Sequence[Marks]) -> list[str]:
    errors = sorted(error for one in marks for error in one.errors)
    covered = [each for one in marks for each in one.covered]
    widths = [each for one in marks for each in one.widths]
    stands = sorted(one.stand_still for one in marks)
    low, high = bootstrap([base.error - one.error for one, base in zip(marks, baseline, strict=True)])
    return [
        f"{statistics.fmean(errors):.1f}",
        f"{errors[int(0.9 * len(errors))]:.1f}",
        str(sum(one.back for one in marks)),
        f"{stands[int(0.95 * len(stands))]:.1f}",
        f"{statistics.fmean(one.jump for one in marks):.1f}",
        f"{statistics.fmean(covered):.2f}" if covered else "",
        f"{statistics.fmean(widths):.2f}" if widths else "",
        f"{1e6 * sum(one.on_events for one in marks) / sum(one.events for one in marks):.1f}",
        f"{1e6 * sum(one.on_estimates for one in marks) / len(errors):.1f}",
        f"{low:.1f} to {high:.1f}",
    ]


def bootstrap(differences: Sequence[float], share: float = 0.95) -> tuple[float, float]:
    """Return the interval of the mean of paired differences, resampled by job."""
    rng = random.Random(1)
    means = sorted(statistics.fmean(rng.choices(differences, k=len(differences))) for _ in range(_RESAMPLES))
    return means[int((1 - share) / 2 * _RESAMPLES)], means[int((1 + share) / 2 * _RESAMPLES) - 1]


if __name__ == "__main__":
    main()
