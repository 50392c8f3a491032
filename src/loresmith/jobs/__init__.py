"""The job engine: submit, queue, run, checkpoint, finish. It knows no HTTP, no language model and no SQL."""

from loresmith.jobs.backoff import Pacing
from loresmith.jobs.context import JobContext
from loresmith.jobs.errors import (
    MOST_PROBLEMS,
    FieldProblem,
    IdempotencyKeyReusedError,
    InvalidCursorError,
    InvalidPayloadError,
    JobError,
    JobNotFoundError,
    JobsError,
    LeaseLostError,
    NotEndedError,
    NotReplicatedError,
    NotRetryableError,
    PermanentError,
    QueueFullError,
    StoreUnavailableError,
    SubmitError,
    TooManyActiveJobsError,
    TransientError,
    UnknownJobTypeError,
    shown,
)
from loresmith.jobs.follower import EndedJob, Follower
from loresmith.jobs.following import Event, EventName, JobFollower
from loresmith.jobs.internal import InternalJob, InternalJobs, InternalView
from loresmith.jobs.keys import owner_digest
from loresmith.jobs.manager import JobManager
from loresmith.jobs.modules import JobModule, JobModuleError, discover
from loresmith.jobs.outcomes import Failed, Unavailable
from loresmith.jobs.reader import JobPage, Listing
from loresmith.jobs.registry import JobRegistry, JobType, job_type
from loresmith.jobs.stats import Figures
from loresmith.jobs.submission import LOCAL_OWNER, Options
from loresmith.jobs.turns import Turns
from loresmith.jobs.types import Job, Priority, State, Status, Usage
from loresmith.jobs.view import JobView
from loresmith.jobs.worker import Worker

__all__ = [
    "LOCAL_OWNER",
    "MOST_PROBLEMS",
    "EndedJob",
    "Event",
    "EventName",
    "Failed",
    "FieldProblem",
    "Figures",
    "Follower",
    "IdempotencyKeyReusedError",
    "InternalJob",
    "InternalJobs",
    "InternalView",
    "InvalidCursorError",
    "InvalidPayloadError",
    "Job",
    "JobContext",
    "JobError",
    "JobFollower",
    "JobManager",
    "JobModule",
    "JobModuleError",
    "JobNotFoundError",
    "JobPage",
    "JobRegistry",
    "JobType",
    "JobView",
    "JobsError",
    "LeaseLostError",
    "Listing",
    "NotEndedError",
    "NotReplicatedError",
    "NotRetryableError",
    "Options",
    "Pacing",
    "PermanentError",
    "Priority",
    "QueueFullError",
    "State",
    "Status",
    "StoreUnavailableError",
    "SubmitError",
    "TooManyActiveJobsError",
    "TransientError",
    "Turns",
    "Unavailable",
    "UnknownJobTypeError",
    "Usage",
    "Worker",
    "discover",
    "job_type",
    "owner_digest",
    "shown",
]
