"""The systems that are measured: where each runs and how one sees, from outside, that its jobs have ended."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Count = Callable[[Any, int], int]


@dataclass(frozen=True, slots=True)
class System:
    """`unfinished(redis, jobs)` tells, with one cheap command, how many of so many jobs have no stored result yet."""

    name: str
    module: str
    environment: str | None
    packages: tuple[str, ...]
    unfinished: Count
    is_async: bool = True
    progress: bool = False
    holds: bool = True
    """Whether 50 jobs can run at once in one worker process."""
    note: str = ""


def _members(key: str) -> Count:
    return lambda redis, _: redis.zcard(key)


def _stream_and_pending(stream: str) -> Count:
    def unfinished(redis: Any, jobs: int) -> int:
        groups: list[dict[str, Any]] = redis.xinfo_groups(stream) if redis.exists(stream) else []
        return sum(group["pending"] + (group.get("lag") or 0) for group in groups) if groups else jobs

    return unfinished


def _results_in_database_1(redis: Any, jobs: int) -> int:
    return jobs - int(redis.info("keyspace").get("db1", {}).get("keys", 0))


SYSTEMS = (
    System(
        "floor",
        "floor",
        None,
        ("redis", "hiredis"),
        lambda redis, _: redis.xlen("floor"),
        progress=True,
        holds=False,
        note="not a job system: no lease, no retry, no validation",
    ),
    System("loresmith", "ours", None, ("loresmith", "redis"), _members("queue:{default}:open"), progress=True),
    System("SAQ", "saq_peer", "saq", ("saq",), _members("saq:default:incomplete"), progress=True),
    System("arq", "arq_peer", "arq", ("arq",), _members("arq:queue")),
    System("taskiq", "taskiq_peer", "taskiq", ("taskiq", "taskiq-redis"), _stream_and_pending("taskiq"), progress=True),
    System("pydocket", "pydocket_peer", "pydocket", ("pydocket",), lambda r, _: r.xlen("docket:stream"), progress=True),
    System(
        "Dramatiq",
        "dramatiq_peer",
        "dramatiq",
        ("dramatiq",),
        lambda r, _: r.hlen("dramatiq:default.msgs"),
        is_async=False,
    ),
    System("Celery", "celery_peer", "celery", ("celery",), _results_in_database_1, is_async=False),
    System(
        "RQ",
        "rq_peer",
        "rq",
        ("rq",),
        lambda redis, jobs: jobs - redis.zcard("rq:finished:default"),
        is_async=False,
        holds=False,
    ),
)
