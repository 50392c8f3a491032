"""The job engine: submit, queue, run, checkpoint, finish. It knows no HTTP, no language model and no SQL."""

from loresmith.jobs.context import JobContext
from loresmith.jobs.errors import (
    FieldProblem,
    IdempotencyKeyReusedError,
    InvalidPayloadError,
    JobError,
    JobNotFoundError,
    JobsError,
    LeaseLostError,
    NotReplicatedError,
    NotRetryableError,
    PermanentError,
    QueueFullError,
    StoreUnavailableError,
    SubmitError,
    TooManyActiveJobsError,
    TransientError,
    UnknownJobTypeError,
)
from loresmith.jobs.follower import EndedJob, Follower
from loresmith.jobs.manager import JobManager
from loresmith.jobs.outcomes import Failed
from loresmith.jobs.registry import JobRegistry, JobType, discover, job_type
from loresmith.jobs.submission import LOCAL_OWNER, Options
from loresmith.jobs.types import Job, Priority, State, Status, Usage
from loresmith.jobs.worker import Worker

__all__ = [
    "LOCAL_OWNER",
    "EndedJob",
    "Failed",
    "FieldProblem",
    "Follower",
    "IdempotencyKeyReusedError",
    "InvalidPayloadError",
    "Job",
    "JobContext",
    "JobError",
    "JobManager",
    "JobNotFoundError",
    "JobRegistry",
    "JobType",
    "JobsError",
    "LeaseLostError",
    "NotReplicatedError",
    "NotRetryableError",
    "Options",
    "PermanentError",
    "Priority",
    "QueueFullError",
    "State",
    "Status",
    "StoreUnavailableError",
    "SubmitError",
    "TooManyActiveJobsError",
    "TransientError",
    "UnknownJobTypeError",
    "Usage",
    "Worker",
    "discover",
    "job_type",
]
