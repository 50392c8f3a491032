"""`loresmith demo`: one job from submit to result on a stack of its own, shown as it happens."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvloop

from loresmith.cli.configure import configure
from loresmith.cli.listen import bind
from loresmith.cli.stack import Stack, StartError
from loresmith.cli.whole import Whole
from loresmith.settings import Settings

if TYPE_CHECKING:
    import httpx2

COUNT = 3
USER_ID = "demo"
_POLL_SECONDS = 0.3
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
    import httpx2

    ended: list[dict[str, Any]] = []

    async def start(stack: Stack) -> None:
        whole = Whole(settings, bound)
        print("Starting LoreSmith: Redis, model, lore service, worker, API", flush=True)
        await whole.start(stack)
        print(f"Listening on {whole.url} with {whole.model}\n", flush=True)
        async with httpx2.AsyncClient(base_url=whole.url, trust_env=False) as client:
            ended.append(await _follow(client, job_type, theme))
        stack.stop()

    with bind(settings.host, settings.port) as bound:
        await Stack().run(start)
    if not ended:
        raise StartError("stopped before the job ended")
    _conclude(ended[0])


async def _follow(client: httpx2.AsyncClient, job_type: str, theme: str) -> dict[str, Any]:
    """Submit, then poll until the job is done, showing what changes."""
    from loresmith.cli.show import JobView

    job = _read(await client.post("/jobs", json={"type": job_type, "payload": await _payload(client, job_type, theme)}))
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            with JobView(job_type) as view:
                while not job.get("done"):
                    await asyncio.sleep(_POLL_SECONDS)
                    job = _read(await client.get(f"/jobs/{job['id']}"))
                    view.show(job)
    except TimeoutError:
        raise StartError(f"the job did not end within {_LONGEST_SECONDS:.0f} s") from None
    return job


async def _payload(client: httpx2.AsyncClient, job_type: str, theme: str) -> dict[str, Any]:
    """Return what this type of job takes of what a demonstration can say."""
    values = {"theme": theme, "count": COUNT, "user_id": USER_ID}
    types = {one["name"]: one["payload_schema"]["properties"] for one in _read(await client.get("/job-types"))["data"]}
    return {name: value for name, value in values.items() if name in types.get(job_type, values)}


def _read(response: httpx2.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    if response.is_error:
        raise StartError(f"the API answered {response.status_code}: {body.get('detail', body.get('title'))}")
    return body


def _conclude(job: dict[str, Any]) -> None:
    from loresmith.cli.show import print_result

    if job["status"] != "completed":
        raise StartError(f"the job failed: {job.get('error', 'no reason was given')}")
    print_result(job["result"])
