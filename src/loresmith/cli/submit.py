"""`loresmith submit`: a job from words on the command line."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from loresmith.cli.remote import AsJson, Url, complete_fields, complete_types, connected
from loresmith.cli.terminal import print_json, say

if TYPE_CHECKING:
    from loresmith.client import Job, JobsClient, JobType
    from loresmith.client.options import JobOptions


def submit(  # noqa: PLR0917 - typer reads each option from the signature
    job_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="A job type: `loresmith types`.", autocompletion=complete_types)
    ],
    fields: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FIELD=VALUE]...",
            help="Fields: `count=3`, `a.b=…` for one inside another, `a=@file`; or @file, a whole payload.",
            autocompletion=complete_fields,
            show_default=False,
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Follow the job to its end, and print its result.")
    ] = False,
    tags: Annotated[list[str] | None, typer.Option("--tag", help="A word to list it by; may be repeated.")] = None,
    priority: Annotated[Literal["high", "normal", "low"], typer.Option(help="Order of service.")] = "normal",
    delay: Annotated[float | None, typer.Option(help="Start it in so many seconds.", min=0)] = None,
    deadline: Annotated[float | None, typer.Option(help="Seconds that it may take.", min=1)] = None,
    max_attempts: Annotated[int | None, typer.Option(help="Tries, if its type's are not right.", min=1)] = None,
    webhook: Annotated[str | None, typer.Option(help="An https URL that is told when the job has ended.")] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency key: submitted twice with it, it is one job.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Submit a job; with --watch, follow it to its end."""
    from loresmith.cli.watching import conclude, follow
    from loresmith.client import Webhook

    options: JobOptions = {
        "tags": tags or (),
        "priority": priority,
        "delay_seconds": delay,
        "deadline_seconds": deadline,
        "max_attempts": max_attempts,
        "webhook": None if webhook is None else Webhook(webhook),
    }
    with connected(url) as client:
        kind = find_type(client, job_type)
        payload = _payload(fields or [], kind)
        job = client.submit(kind.name, payload, idempotency_key=key, **options).snapshot
        if watch:
            conclude(follow(client, job.id, job.type, as_json=as_json), as_json=as_json)
        else:
            _tell(job, as_json=as_json)


def find_type(client: JobsClient, name: str) -> JobType:
    """The job type of a name; ends the command with the nearest where there is none."""
    from loresmith.cli.exits import ExitCode, leave

    known = {one.name: one for one in client.job_types()}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(sorted(known))}"
        leave(f"there is no job type {name!r}: {hint}", ExitCode.USAGE)
    return known[name]


def _payload(words: list[str], kind: JobType) -> dict[str, object]:
    from loresmith.cli.exits import ExitCode, leave
    from loresmith.cli.fields import FieldError, read_payload

    try:
        return read_payload(words, kind.payload_schema)
    except FieldError as error:
        leave(f"{kind.name}: {error}", ExitCode.USAGE)


def _tell(job: Job, *, as_json: bool) -> None:
    if as_json:
        print_json(job.document)
    else:
        say(f"{job.id}  {job.message}", f"Follow it with: loresmith watch {job.id}")
