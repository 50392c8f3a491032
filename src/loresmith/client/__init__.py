"""The Python client: submit jobs to a LoreSmith server and follow them to their end.

    with JobsClient() as client:
        job = client.submit("generate_characters", theme="fantasy", count=3)
        for update in job.stream():
            print(update.job.progress, update.job.message, update.new_items)
        print(job.result())

It needs nothing of the server: importing it loads httpx2, msgspec and tenacity.
"""

from loresmith.client.async_client import AsyncJobsClient
from loresmith.client.async_job import AsyncJobHandle
from loresmith.client.calls import Submission, Webhook
from loresmith.client.errors import (
    ClientError,
    ConflictError,
    FieldProblem,
    ForbiddenError,
    InvalidRequestError,
    JobFailedError,
    NotFoundError,
    Problem,
    ProblemError,
    ResultTypeError,
    ServerFaultError,
    ServerUnreachableError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
    UnexpectedAnswerError,
    WaitTimeoutError,
)
from loresmith.client.knowledge import Update
from loresmith.client.models import (
    ErrorDetail,
    Eta,
    Found,
    Job,
    JobToken,
    JobType,
    Stats,
    Usage,
    WebhookLog,
    World,
    WorldSummary,
)
from loresmith.client.sync_client import JobsClient
from loresmith.client.sync_job import JobHandle

__all__ = [
    "AsyncJobHandle",
    "AsyncJobsClient",
    "ClientError",
    "ConflictError",
    "ErrorDetail",
    "Eta",
    "FieldProblem",
    "ForbiddenError",
    "Found",
    "InvalidRequestError",
    "Job",
    "JobFailedError",
    "JobHandle",
    "JobToken",
    "JobType",
    "JobsClient",
    "NotFoundError",
    "Problem",
    "ProblemError",
    "ResultTypeError",
    "ServerFaultError",
    "ServerUnreachableError",
    "Stats",
    "Submission",
    "TooManyRequestsError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "Update",
    "Usage",
    "WaitTimeoutError",
    "Webhook",
    "WebhookLog",
    "World",
    "WorldSummary",
]
