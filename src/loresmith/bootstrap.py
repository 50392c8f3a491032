"""Builds the objects of a process from plain arguments; nothing else does."""

from collections.abc import Mapping

from loresmith import job_types
from loresmith.jobs import Failed, JobManager, JobRegistry, Worker, discover
from loresmith.jobs.connection import Client, Connections
from loresmith.llm.errors import GenerationError
from loresmith.llm.port import LoreModel


def connect(url: str) -> Client:
    """Return a client for the Redis at `url`; it connects when it is first used. See loresmith.jobs.connection."""
    return Connections(url).client()


def build_registry() -> JobRegistry:
    """Return every job type of the product and of installed extensions."""
    return discover(job_types)


def build_manager(redis: Client, registry: JobRegistry, *, replicas: int = 0) -> JobManager:
    """Return the manager through which an API process creates and reads jobs; see there for `replicas`."""
    return JobManager(redis=redis, registry=registry, replicas=replicas)


def build_worker(
    redis_url: str,
    registry: JobRegistry,
    *,
    lore_model: LoreModel,
    concurrency: int,
    grace_seconds: float,
    linger_seconds: float,
) -> Worker:
    """Return a worker whose handlers find the language model under `LoreModel`."""
    resources: Mapping[type, object] = {LoreModel: lore_model}
    return Worker(
        connections=Connections(redis_url),
        registry=registry,
        resources=resources,
        classify=classify,
        concurrency=concurrency,
        grace_seconds=grace_seconds,
        linger_seconds=linger_seconds,
    )


def classify(error: Exception) -> Failed | None:
    """Say what a failed call to the model means for the job; None for what nobody foresaw."""
    if isinstance(error, GenerationError):
        return Failed(error.code, _sentence(error.message), error.retryable, error.retry_after_seconds)
    return None


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]
