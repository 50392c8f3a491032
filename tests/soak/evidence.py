"""All that is known after a soak: what Redis accepted and still holds, what SQL has, what the clients noted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine

from loresmith.jobs import Job
from tests.chaos import evidence as chaos
from tests.chaos.checks import Finding
from tests.chaos.evidence import Evidence, Leftover
from tests.chaos.ledger import Event, read_ledgers
from tests.chaos.poller import Poller
from tests.soak.checks import OF_ALL, OF_ONE_JOB, Records, each_end_is_recorded, each_world_is_saved_once
from tests.soak.stage import Stage
from tests.soak.witness import each_job


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of all jobs: their last documents, the lines of the ledger, and all that must not be."""

    documents: dict[str, Job]
    events: list[Event]
    findings: list[Finding]


async def judge(stage: Stage, folder: Path, complaints: Iterable[tuple[str, str]]) -> Judged:
    """Collect everything and apply the rules; Redis and the database still run, nothing else does."""
    documents, findings = _written(folder, stage)
    events = read_ledgers(folder)
    poller = Poller(stage.redis.socket, complaints=list(complaints))
    left = await chaos.left_in(f"unix://{stage.redis.socket}")
    left.documents = documents
    findings += [found for rule in OF_ALL for found in rule(Evidence(events, {}, left, poller))]
    findings += [Finding("broken", job_id, f"as a client saw it: {text}") for job_id, text in poller.complaints]
    records = await _records(stage.database_url)
    findings += [*each_end_is_recorded(documents, records), *each_world_is_saved_once(documents, records)]
    return Judged(documents, events, findings)


def _written(folder: Path, stage: Stage) -> tuple[dict[str, Job], list[Finding]]:
    """The last document of each job, also of those that were deleted, and what breaks the rules on the way there."""
    documents, findings = dict[str, Job](), list[Finding]()
    nobody = Poller(stage.redis.socket)
    for job_id, written in each_job(folder / "appendonlydir"):
        if written.documents:
            documents[job_id] = written.documents[-1]
        alone = Evidence([], {job_id: written}, Leftover(), nobody)
        findings += [found for rule in OF_ONE_JOB for found in rule(alone)]
    return documents, findings


async def _records(url: str) -> Records:
    engine = create_async_engine(
        url.replace("sqlite://", "sqlite+aiosqlite://").replace("postgresql://", "postgresql+psycopg://")
    )
    async with engine.connect() as connection:
        rows = await connection.execute(sqlalchemy.text("SELECT job_id, state FROM job_history"))
        history = {_id(row[0]): row[1] for row in rows}
        rows = await connection.execute(sqlalchemy.text("SELECT root_job_id, count(*) FROM worlds GROUP BY 1"))
        worlds = {_id(row[0]): row[1] for row in rows}
    await engine.dispose()
    return Records(history, worlds)


def _id(value: object) -> str:
    """An id as the API has it: SQLite keeps it without hyphens."""
    text = str(value).replace("-", "")
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
