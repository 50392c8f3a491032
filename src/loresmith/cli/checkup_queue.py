"""What the doctor looks at in the queue, by asking the API: who works on it, whether it is paused, what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loresmith.cli.checkup import PATIENCE_SECONDS, Finding, Level

if TYPE_CHECKING:
    from loresmith.client import Stats


async def look_at_queue(url: str | None, key: str | None) -> Finding:
    """Ask a server that is ready how busy it is; this needs an API key where the server asks for one."""
    from loresmith.client import AsyncJobsClient, ClientError, ForbiddenError, UnauthenticatedError

    async with AsyncJobsClient(url, key, timeout_seconds=PATIENCE_SECONDS, retries=0) as client:
        try:
            return judge_queue(await client.stats())
        except (UnauthenticatedError, ForbiddenError) as error:
            return Finding("queue", Level.WRONG if key else Level.NOTE, str(error), "see LORESMITH_API_KEY")
        except ClientError as error:
            return Finding("queue", Level.WRONG, str(error), "see the log of the API")


def judge_queue(stats: Stats) -> Finding:
    """Say what holds jobs up, if anything does."""
    waiting = sum(one.depth.high + one.depth.normal + one.depth.low for one in stats.queues)
    waits = f"{waiting} {'job waits' if waiting == 1 else 'jobs wait'}"
    if not stats.workers:
        found = f"no worker is there, {waits}"
        return Finding("queue", Level.WRONG, found, "start `loresmith worker`, or see its log")
    if stats.unknown_types:
        names = ", ".join(map(repr, stats.unknown_types))
        found = f"no running worker knows the job {'type' if len(stats.unknown_types) == 1 else 'types'} {names}"
        return Finding("queue", Level.WRONG, found, "start workers of this release, then stop the old ones")
    paused = [one.name for one in stats.queues if one.paused]
    if paused:
        return Finding("queue", Level.NOTE, f"{paused[0]!r} is paused, {waits}", f"`loresmith resume {paused[0]}`")
    taken, slots = sum(one.running for one in stats.workers), sum(one.concurrency for one in stats.workers)
    count = len(stats.workers)
    found = f"{count} {'worker' if count == 1 else 'workers'}, {taken} of {slots} slots taken, {waits}"
    return Finding("queue", Level.OK, found)
