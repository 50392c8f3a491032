"""`loresmith show`, `list`, `cancel`, `retry` and `delete`: jobs of a running server."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from loresmith.cli.remote import AsJson, Url, complete_jobs, complete_types, connected, print_table
from loresmith.cli.terminal import print_json, say
from loresmith.cli.watching import JobId, conclude, follow

if TYPE_CHECKING:
    from loresmith.client import Job

JobIds = Annotated[list[str], typer.Argument(metavar="JOB...", help="Ids of jobs.", autocompletion=complete_jobs)]


def show(
    job_id: JobId,
    payload: Annotated[bool, typer.Option("--payload", help="Also what it was submitted with.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show a job: how it stands, what it has made so far, why it failed."""
    from loresmith.cli.show import job_lines, print_result

    with connected(url) as client:
        job = client.get(job_id, payload=payload)
    if as_json:
        print_json(job.document)
        return
    say(*job_lines(job))
    if job.result is not None or job.items:
        print_result(job.items if job.result is None else job.result)


def list_jobs(
    status: Annotated[str | None, typer.Option(help="pending, processing, completed or failed.")] = None,
    state: Annotated[str | None, typer.Option(help="queued, running, cancelled, …")] = None,
    job_type: Annotated[str | None, typer.Option("--type", help="A job type.", autocompletion=complete_types)] = None,
    tag: Annotated[str | None, typer.Option(help="A tag.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Created after this time, local unless it says so.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    with connected(url) as client:
        found = client.list(
            page_size=min(limit, 100), status=status, state=state, type=job_type, tag=tag, created_after=since
        )
        jobs = list(itertools.islice(found, limit))
    if as_json:
        print_json([job.document for job in jobs])
    elif jobs:
        now = datetime.now(UTC)
        rows = [(job.id, job.type, job.state, f"{job.progress} %", age(job.created_at, now)) for job in jobs]
        print_table(("JOB", "TYPE", "STATE", "DONE", "AGE"), rows)
    else:
        say("no jobs")


def cancel(job_ids: JobIds, url: Url = None, as_json: AsJson = False) -> None:
    """Cancel jobs; those that have ended stay as they are."""
    with connected(url) as client:
        _tell([client.cancel(job_id) for job_id in job_ids], as_json=as_json)


def retry(
    job_id: JobId,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow the new job to its end.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Make a new job of a failed one; what was finished is not made again."""
    with connected(url) as client:
        job = client.retry(job_id)
        if watch:
            conclude(follow(client, job.id, job.type, as_json=as_json), as_json=as_json)
        elif as_json:
            print_json(job.document)
        else:
            say(f"{job.id}  goes on where {job_id} failed", f"Follow it with: loresmith watch {job.id}")


def delete(job_ids: JobIds, url: Url = None, as_json: AsJson = False) -> None:
    """Forget jobs that have ended, before their 24 hours are over."""
    with connected(url) as client:
        for job_id in job_ids:
            client.delete(job_id)
    if as_json:
        print_json({"deleted": job_ids})
    else:
        say(*(f"{job_id}  deleted" for job_id in job_ids))


def age(moment: datetime, now: datetime) -> str:
    """How long ago that was, in its largest unit."""
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _tell(jobs: list[Job], *, as_json: bool) -> None:
    if as_json:
        print_json([job.document for job in jobs])
    else:
        say(*(f"{job.id}  {job.state}" for job in jobs))
