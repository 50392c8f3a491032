"""`loresmith stats`, `pause` and `resume`: the queue of a running server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from loresmith.cli.remote import AsJson, Url, connected, print_table
from loresmith.cli.terminal import print_json, say

if TYPE_CHECKING:
    from loresmith.client import Stats

Queue = Annotated[str, typer.Argument(metavar="[QUEUE]", help="Name of a queue.")]


def stats(url: Url = None, as_json: AsJson = False) -> None:
    """Show how busy the server is: queues, workers, how long jobs take."""
    with connected(url) as client:
        found = client.stats()
    if as_json:
        print_json(found.document)
    else:
        _print(found)


def pause(queue: Queue = "default", url: Url = None, as_json: AsJson = False) -> None:
    """Let the queue hand out no more jobs; those that run go on."""
    with connected(url) as client:
        client.pause(queue)
    _tell(queue, paused=True, as_json=as_json)


def resume(queue: Queue = "default", url: Url = None, as_json: AsJson = False) -> None:
    """Let the queue hand out jobs again."""
    with connected(url) as client:
        client.resume(queue)
    _tell(queue, paused=False, as_json=as_json)


def _tell(queue: str, *, paused: bool, as_json: bool) -> None:
    if as_json:
        print_json({"queue": queue, "paused": paused})
    else:
        say(f"queue {queue!r} is paused: loresmith resume {queue}" if paused else f"queue {queue!r} hands out jobs")


def _print(found: Stats) -> None:
    queues = [
        (
            one.name + (" (paused)" if one.paused else ""),
            str(one.depth.high + one.depth.normal + one.depth.low),
            *map(str, (one.running, one.scheduled, one.open)),
            f"{one.ended_per_minute:.1f}",
        )
        for one in found.queues
    ]
    print_table(("QUEUE", "READY", "RUNNING", "SCHEDULED", "OPEN", "ENDED/MIN"), queues)
    if found.workers:
        say()
        rows = [(one.id, one.host, f"{one.running} of {one.concurrency}") for one in found.workers]
        print_table(("WORKER", "HOST", "RUNNING"), rows)
    if found.unknown_types:
        say("", f"no running worker knows: {', '.join(found.unknown_types)}")
    if found.types:
        say()
        types = [
            (name, str(one.completed), str(one.failed), _seconds(one.run_seconds.p50), _seconds(one.run_seconds.p95))
            for name, one in sorted(found.types.items())
        ]
        print_table(("TYPE", "COMPLETED", "FAILED", "MEDIAN", "95 %"), types)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"
