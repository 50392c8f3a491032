"""The instruments of one process, in a registry of its own, and what Prometheus reads of them."""

import platform
from functools import cached_property

import prometheus_client
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from loresmith.telemetry.instruments import (
    HttpMetrics,
    JobMetrics,
    LoopMetrics,
    ModelMetrics,
    RedisMetrics,
)
from loresmith.telemetry.queue_metrics import QueueMetrics


class Metrics:
    """A group is there from its first use on: a process shows what it has."""

    def __init__(self, version: str = "", registry: CollectorRegistry | None = None) -> None:
        prometheus_client.disable_created_metrics()  # a series more for each one; nobody needs them
        self.registry = registry or CollectorRegistry()
        ProcessCollector(registry=self.registry)
        build = prometheus_client.Info("loresmith_build", "Version of this process", registry=self.registry)
        build.info({"version": version, "python": platform.python_version()})

    @cached_property
    def jobs(self) -> JobMetrics:
        """What became of jobs."""
        return JobMetrics(self.registry)

    @cached_property
    def queue(self) -> QueueMetrics:
        """The queue as a whole."""
        return QueueMetrics(self.registry)

    @cached_property
    def redis(self) -> RedisMetrics:
        """Redis as this process sees it."""
        return RedisMetrics(self.registry)

    @cached_property
    def loop(self) -> LoopMetrics:
        """The event loop."""
        return LoopMetrics(self.registry)

    @cached_property
    def http(self) -> HttpMetrics:
        """Requests to the API."""
        return HttpMetrics(self.registry)

    @cached_property
    def models(self) -> ModelMetrics:
        """Calls to language models."""
        return ModelMetrics(self.registry)

    def page(self, accept: str) -> tuple[bytes, str]:
        """Return what Prometheus is shown, in the format that it asks for, and the name of that."""
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type
