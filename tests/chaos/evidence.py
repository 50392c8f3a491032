"""All that is known after a loop: the ledgers, the append-only file, and what Redis holds now."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from loresmith.jobs import Job, keys
from loresmith.jobs.connection import Connections
from loresmith.jobs.types import decode_job
from tests.chaos.append_only import Written, read_append_only
from tests.chaos.ledger import Event, read_ledgers
from tests.chaos.poller import Poller

QUEUE: Final = keys.QueueKeys("default")


@dataclass(slots=True)
class RunStory:
    """What the ledger tells about one run of one job."""

    number: int
    started: Event
    generating: list[Event] = field(default_factory=list[Event])
    generated: dict[str, Event] = field(default_factory=dict[str, Event])
    saved: dict[str, Event] = field(default_factory=dict[str, Event])
    finished: Event | None = None
    stopped: Event | None = None

    @property
    def have(self) -> dict[str, str]:
        """The pieces that the run found, name to nonce."""
        return self.started.facts["have"]

    @property
    def rescues(self) -> int:
        """How many workers the job had lost when the run started."""
        return self.started.facts["rescues"]


@dataclass(slots=True)
class Leftover:
    """What Redis holds once everything has settled."""

    documents: dict[str, Job] = field(default_factory=dict[str, Job])
    lifetimes_ms: dict[str, int] = field(default_factory=dict[str, int])
    announced: list[str] = field(default_factory=list[str])
    """Ids of ended jobs, as whoever follows them up reads them."""
    queue: dict[str, int] = field(default_factory=dict[str, int])
    """Streams and indexes of the queue, each with its length; pending entries as `pending of <stream>`."""


@dataclass(slots=True)
class Evidence:
    """What the checks look at."""

    events: list[Event]
    written: dict[str, Written]
    left: Leftover
    poller: Poller
    runs: dict[str, list[RunStory]] = field(init=False)

    def __post_init__(self) -> None:
        self.runs = _runs(self.events)

    def of(self, kind: str) -> list[Event]:
        """Return the events of one kind."""
        return [event for event in self.events if event.kind == kind]

    @property
    def accepted(self) -> dict[str, Event]:
        """The jobs that a submitter was told are accepted."""
        return {event.job: event for event in self.of("accepted")}

    def result(self, job: Job) -> dict[str, Any] | None:
        """Return the result of a completed job."""
        return json.loads(bytes(job.result)) if job.state == "completed" else None


def _runs(events: list[Event]) -> dict[str, list[RunStory]]:
    stories: dict[tuple[str, int], RunStory] = {}
    for event in events:
        if event.kind == "started":
            stories[event.job, event.run] = RunStory(event.run, event)
        story = stories.get((event.job, event.run))
        match event.kind, story:
            case "generating", RunStory():
                story.generating.append(event)
            case "generated", RunStory():
                story.generated[event.facts["name"]] = event
            case "saved", RunStory():
                story.saved[event.facts["name"]] = event
            case "finished", RunStory():
                story.finished = event
            case "stopped", RunStory():
                story.stopped = event
            case _:
                pass
    runs: dict[str, list[RunStory]] = defaultdict(list)
    for (job, _), story in sorted(stories.items(), key=lambda pair: pair[0]):
        runs[job].append(story)
    return dict(runs)


async def gather(folder: Path, socket: Path, poller: Poller) -> Evidence:
    """Collect everything; Redis still runs, nothing else does."""
    left = await leftover(socket)
    return Evidence(read_ledgers(folder), read_append_only(folder / "appendonlydir"), left, poller)


async def leftover(socket: Path) -> Leftover:
    """Read what is in Redis now."""
    left = Leftover()
    client: Any = Connections(f"unix://{socket}").client()
    async for key in client.scan_iter(count=1000):
        name = key.decode()
        left.lifetimes_ms[name] = await client.pttl(name)
        if name.startswith("job:"):
            left.documents[name.removeprefix("job:")] = decode_job(await client.get(name))
    left.announced = [entry[b"id"].decode() for _, entry in await client.xrange(QUEUE.ended)]
    left.queue = await lengths(client)
    await client.aclose()
    return left


async def lengths(client: Any) -> dict[str, int]:
    """Return how many entries are left in each part of the queue that must be empty in the end."""
    found: dict[str, int] = {"scheduled": await client.zcard(QUEUE.scheduled), "open": await client.zcard(QUEUE.open)}
    for stream in QUEUE.streams:
        found[stream] = await client.xlen(stream)
        if found[stream] or await client.exists(stream):
            found[f"pending of {stream}"] = (await client.xpending(stream, keys.GROUP))["pending"]
    async for key in client.scan_iter(match=f"{QUEUE.owners}*".replace("{", "\\{"), count=1000):
        found[key.decode()] = 1
    return {name: count for name, count in found.items() if count}
