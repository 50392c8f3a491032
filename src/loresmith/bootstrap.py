"""Builds the objects of a process from plain arguments; nothing else does."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from loresmith import job_types, webhooks
from loresmith.db import Database, History, PastJob, StorageUnavailableError, Worlds
from loresmith.jobs import (
    EndedJob,
    Failed,
    Follower,
    InternalJobs,
    JobManager,
    JobRegistry,
    Pacing,
    TransientError,
    Unavailable,
    Usage,
    Worker,
    discover,
)
from loresmith.jobs.connection import Client, Connections
from loresmith.jobs.observer import Observer
from loresmith.jobs.outcomes import sentence
from loresmith.llm.errors import GenerationError
from loresmith.llm.port import LoreModel
from loresmith.telemetry.process import Telemetry
from loresmith.webhooks import Courier, Feed, Rules, Sender, Signer, deliver_webhook

_DELIVERIES_AT_ONCE: Final = 64
_ENDED_DELIVERIES: Final = 1_000
"""Nobody follows them: they are kept for a look."""


def connect(url: str) -> Client:
    """Return a client for the Redis at `url`; it connects when it is first used. See loresmith.jobs.connection."""
    return Connections(url).client()


def build_registry(names: Sequence[str] = (), *, product: bool = True) -> JobRegistry:
    """Return the job types of the product, of installed distributions, and of the files and modules with these names.

    Without `product`, its own are left out. Raises JobModuleError.
    """
    return discover(job_types if product else None, names)


def build_manager(
    redis: Client,
    registry: JobRegistry,
    *,
    replicas: int = 0,
    owner_limit: int = 1_000,
    telemetry: Telemetry | None = None,
) -> JobManager:
    """Return the manager through which an API process creates and reads jobs; see there for the numbers."""
    observer = observer_of(telemetry)
    return JobManager(redis=redis, registry=registry, replicas=replicas, owner_limit=owner_limit, observer=observer)


def build_worker(
    redis_url: str,
    registry: JobRegistry,
    *,
    lore_model: LoreModel,
    worlds: Worlds,
    concurrency: int,
    grace_seconds: float,
    linger_seconds: float,
    telemetry: Telemetry | None = None,
    pacing: Pacing | None = None,
) -> Worker:
    """Return a worker whose handlers find the language model under `LoreModel`, saved worlds under `Worlds`."""
    resources: Mapping[type, object] = {LoreModel: lore_model, Worlds: worlds}
    return Worker(
        connections=Connections(redis_url),
        registry=registry,
        resources=resources,
        classify=classify,
        concurrency=concurrency,
        grace_seconds=grace_seconds,
        linger_seconds=linger_seconds,
        observer=observer_of(telemetry),
        pacing=pacing or Pacing(),
    )


def observer_of(telemetry: Telemetry | None) -> Observer | None:
    """Return what tells the metrics and traces of a process about its jobs."""
    return Observer(metrics=telemetry.metrics, tracing=telemetry.tracing) if telemetry is not None else None


def build_history(redis_url: str, database: Database) -> Follower:
    """Return what writes each job that ends into the history, once, however many processes have one."""
    history = History(database)

    async def record(ended: Sequence[EndedJob]) -> None:
        try:
            await history.record([past_job(one) for one in ended])
        except StorageUnavailableError as error:
            raise TransientError(str(error), code="storage_unavailable") from error

    return Follower(connections=Connections(redis_url), group="history", follow=record)


def build_webhook_feed(redis_url: str, redis: Client) -> Follower:
    """Return what makes a delivery of each job that ends and has a webhook."""
    feed = Feed(build_deliveries(redis))
    return Follower(connections=Connections(redis_url), group=webhooks.GROUP, follow=feed.follow)


def build_deliveries(redis: Client) -> InternalJobs:
    """Return the deliveries of webhooks."""
    return InternalJobs(redis, deliver_webhook, queue=webhooks.QUEUE)


def build_webhook_worker(
    redis_url: str,
    redis: Client,
    *,
    secrets: Sequence[str],
    allow_private: bool = False,
    root_path: str = "",
    grace_seconds: float = webhooks.SECONDS,
    linger_seconds: float = 1.0,
    lease_seconds: float = 10.0,
    sender: Sender | None = None,
) -> Worker:
    """Return the worker that delivers webhooks, signed with these secrets; it takes no slot of any other job."""
    courier = Courier(
        manager=build_manager(redis, JobRegistry()),
        signer=Signer(secrets),
        sender=sender or Sender(allow_private=allow_private),
        rules=Rules(allow_private=allow_private),
        root_path=root_path,
    )
    return Worker(
        connections=Connections(redis_url),
        queue=webhooks.QUEUE,
        registry=JobRegistry().add(deliver_webhook),
        resources={Courier: courier},
        concurrency=_DELIVERIES_AT_ONCE,
        grace_seconds=grace_seconds,
        linger_seconds=linger_seconds,
        lease_seconds=lease_seconds,
        ended_length=_ENDED_DELIVERIES,
    )


def past_job(ended: EndedJob) -> PastJob:
    """Return what the history keeps of a job."""
    job, usage = ended.job, ended.job.usage or Usage()
    return PastJob(
        job_id=job.id,
        root_job_id=ended.submitted.root_job_id,
        type=job.type,
        owner=ended.submitted.owner,
        state=job.state,
        created_at=datetime.fromisoformat(job.created_at),
        started_at=datetime.fromisoformat(job.started_at) if job.started_at else None,
        ended_at=datetime.fromisoformat(job.completed_at or job.updated_at),
        attempts=job.attempt,
        rescues=job.rescues,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=usage.cost_usd,
        model=usage.model,
        error_code=job.error_detail.code if job.error_detail else None,
    )


def classify(error: Exception) -> Failed | Unavailable | None:
    """Say what a failed call to the model or the database means for the job; None for an error that nobody foresaw."""
    if isinstance(error, StorageUnavailableError):  # a save is idempotent: it may be repeated, whatever it had begun
        return _waits("storage_unavailable", "the database", "the database cannot be reached")
    if isinstance(error, GenerationError):
        if error.retryable and not error.began:
            return _waits(error.code, "the model service", error.message, error.retry_after_seconds)
        return Failed(error.code, sentence(error.message), error.retryable, error.retry_after_seconds)
    return None


def _waits(code: str, what: str, reason: str, retry_after_seconds: float | None = None) -> Unavailable:
    return Unavailable(code, reason, f"Waiting for {what}: {reason}", retry_after_seconds)
