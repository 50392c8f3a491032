"""The servers that are measured, each a process of its own: ours as it ships, and routes as FastAPI documents them.

python -m benchmarks.http.servers ours|idiomatic|tuned|worker REDIS_URL PORT
"""

import asyncio
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import redis.asyncio
import uvloop
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from benchmarks.http.streams import end_later
from loresmith.api import create_app
from loresmith.api.connections import Connections
from loresmith.bootstrap import build_manager, build_registry, connect
from loresmith.cli.http import serving
from loresmith.cli.whole import tune_garbage_collection
from loresmith.db import Database, SqliteFile, Worlds
from loresmith.jobs import JobRegistry, Worker
from loresmith.jobs.connection import Connections as RedisConnections

_DAY_SECONDS = 86_400


class Payload(BaseModel):
    """What to write."""

    theme: str = Field(min_length=1, max_length=60)
    count: int = Field(3, ge=1, le=10)


class Submit(BaseModel):
    """A job to do."""

    type: str
    payload: Payload


class Job(BaseModel):
    """A job as the idiomatic server keeps and sends it: the core of the contract, no more."""

    id: str
    type: str
    status: str
    progress: int
    message: str
    result: Any = None
    error: str | None = None
    created_at: datetime
    completed_at: datetime | None = None


def idiomatic(redis_url: str) -> FastAPI:
    """Return path functions with response models that await redis-py."""
    app = FastAPI()
    client: Any = redis.asyncio.Redis.from_url(redis_url, decode_responses=True)  # pyright: ignore[reportUnknownMemberType]

    @app.get("/jobs/{job_id}", response_model=Job)
    async def read(job_id: str) -> Any:
        stored = await client.get(f"job:{job_id}")
        if stored is None:
            raise HTTPException(404)
        return Job.model_validate_json(stored)

    @app.post("/jobs", response_model=Job, status_code=202)
    async def submit(asked: Submit) -> Any:
        job = Job(
            id=str(uuid4()),
            type=asked.type,
            status="pending",
            progress=0,
            message="Preparing your request...",
            created_at=datetime.now(UTC),
        )
        await client.set(f"job:{job.id}", job.model_dump_json(), ex=_DAY_SECONDS)
        await client.xadd("queue", {"id": job.id, "payload": asked.payload.model_dump_json()})
        return job

    return app


async def serve(kind: str, redis_url: str, port: int) -> None:
    """Serve on one core until the input ends."""
    os.sched_setaffinity(0, {0})
    with socket.create_server(("127.0.0.1", port), backlog=8192) as bound:
        async with connect(redis_url) as client:
            manager = build_manager(client, build_registry())
            worlds = Worlds(Database(SqliteFile(Path("unused"))))
            app = create_app(manager, worlds) if kind == "ours" else idiomatic(redis_url)
            async with serving(app, bound, Connections()):
                await _until_told(tuned=kind != "idiomatic")
                manager.release_waiters()
            await manager.close()


async def work(redis_url: str) -> None:
    """Run jobs on the other core until the input ends."""
    os.sched_setaffinity(0, {1})
    registry = JobRegistry().add(end_later)
    worker = Worker(connections=RedisConnections(redis_url), registry=registry, resources={}, concurrency=2_000)
    running = asyncio.create_task(worker.run())
    await _until_told()
    worker.stop()
    worker.stop()
    await running


async def _until_told(*, tuned: bool = True) -> None:
    if tuned:
        tune_garbage_collection()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    uvloop.run(work(sys.argv[2]) if sys.argv[1] == "worker" else serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
