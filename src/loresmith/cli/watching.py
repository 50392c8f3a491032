"""`loresmith watch`: a job followed to its end, with a progress bar and its items as they appear."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from loresmith.cli.remote import AsJson, Url, complete_jobs, connected
from loresmith.cli.terminal import complain, print_json

if TYPE_CHECKING:
    from loresmith.client import Job, JobsClient

JobId = Annotated[str, typer.Argument(metavar="JOB", help="Id of a job.", autocompletion=complete_jobs)]
Timeout = Annotated[
    float | None, typer.Option("--timeout", help="Leave after so many seconds (exit code 124).", min=0.1)
]


def watch(job_id: JobId, timeout: Timeout = None, url: Url = None, as_json: AsJson = False) -> None:
    """Follow a job to its end and print its result. Exit code 1: it has failed; Ctrl-C leaves it to go on."""
    with connected(url) as client:
        conclude(follow(client, job_id, "", as_json=as_json, timeout=timeout), as_json=as_json)


def follow(client: JobsClient, job_id: str, title: str, *, as_json: bool, timeout: float | None = None) -> Job:
    """Show what happens to a job until it has ended; with `as_json`, the whole job on a line for each change."""
    from loresmith.cli.exits import ExitCode, leave
    from loresmith.cli.show import JobView

    job: Job | None = None
    try:
        with contextlib.nullcontext() if as_json else JobView(title) as view:
            for update in client.stream(job_id, timeout_seconds=timeout):
                job = update.job
                if view is not None:
                    view.show(update)
                else:
                    print_json(job.document, indent=None)
    except KeyboardInterrupt:
        leave(f"left; the job goes on: loresmith watch {job_id}", ExitCode.INTERRUPTED)
    assert job is not None
    return job


def conclude(job: Job, *, as_json: bool) -> None:
    """Print what came of a job that has ended, and end the command with 1 if it has failed."""
    from loresmith.cli.exits import ExitCode
    from loresmith.cli.show import print_result

    if job.status == "completed":
        if not as_json:
            print_result(job.result)
        return
    hint = "" if job.is_cancelled else f"; try again: loresmith retry {job.id}"
    complain(f"loresmith: job {job.id} failed: {job.error}{hint}")
    raise typer.Exit(ExitCode.FAILED)
