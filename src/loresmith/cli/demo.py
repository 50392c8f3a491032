"""`loresmith demo`: one job from submit to result on a stack of its own, shown as it happens."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvloop

from loresmith.cli.configure import configure
from loresmith.cli.listen import bind
from loresmith.cli.stack import Stack, StartError
from loresmith.cli.terminal import say
from loresmith.cli.whole import Whole
from loresmith.settings import Settings

if TYPE_CHECKING:
    from loresmith.client import AsyncJobsClient, Job

COUNT = 3
USER_ID = "demo"
_LONGEST_SECONDS = 600.0


def demo(
    job_type: Annotated[str, typer.Argument(metavar="TYPE", help="The job type to show.")] = "generate_characters",
    theme: Annotated[str, typer.Option(help="A known theme or a free text.")] = "fantasy",
) -> None:
    """Let a model write three things, from submit to result, on a stack that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="loresmith-demo-") as folder:
        settings = configure(least_log_level="error", host="127.0.0.1", port=0, auth="none", data_dir=Path(folder))
        uvloop.run(_demo(settings, job_type, theme))


async def _demo(settings: Settings, job_type: str, theme: str) -> None:
    ended: list[Job] = []

    async def start(stack: Stack) -> None:
        whole = Whole(settings, bound)
        say("Starting LoreSmith: Redis, model, lore service, worker, API")
        await whole.start(stack)
        say(f"Listening on {whole.url} with {whole.model}", "")
        ended.append(await _follow(whole.url, job_type, theme))
        stack.stop()

    with bind(settings.host, settings.port) as bound:
        await Stack().run(start)
    if not ended:
        raise StartError("stopped before the job ended")
    _conclude(ended[0])


async def _follow(url: str, job_type: str, theme: str) -> Job:
    """Submit a job and follow it to its end, showing what changes."""
    from loresmith.cli.show import JobView
    from loresmith.client import AsyncJobsClient, ClientError

    try:
        async with AsyncJobsClient(url) as client:
            job = (await client.submit(job_type, await _payload(client, job_type, theme))).snapshot
            with JobView(job_type) as view:
                async for update in client.stream(job.id, timeout_seconds=_LONGEST_SECONDS):
                    view.show(update)
                    job = update.job
    except ClientError as error:
        raise StartError(str(error)) from None
    return job


async def _payload(client: AsyncJobsClient, job_type: str, theme: str) -> dict[str, Any]:
    """Return what this type of job takes of what a demonstration can say."""
    values = {"theme": theme, "count": COUNT, "user_id": USER_ID}
    types = {one.name: one.payload_schema["properties"] for one in await client.job_types()}
    return {name: value for name, value in values.items() if name in types.get(job_type, values)}


def _conclude(job: Job) -> None:
    from loresmith.cli.show import print_result

    if job.status != "completed":
        raise StartError(f"the job failed: {job.error or 'no reason was given'}")
    print_result(job.result)
