"""The Python client: submit jobs to a LoreSmith server and follow them to their end.

    with JobsClient() as client:
        job = client.submit("generate_characters", {"theme": "fantasy", "count": 3})
        for update in client.stream(job.id):
            print(update.job.progress, update.job.message, update.new_items)

It needs nothing of the server's: importing it loads httpx2, msgspec and tenacity.
"""

from loresmith.client.async_client import AsyncJobsClient
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
    ServerFaultError,
    ServerUnreachableError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
    UnexpectedAnswerError,
    WaitTimeoutError,
)
from loresmith.client.knowledge import Update
from loresmith.client.models import ErrorDetail, Eta, Found, Job, JobType, Stats, Usage, WebhookLog, World, WorldSummary
from loresmith.client.sync_client import JobsClient

__all__ = [
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
    "JobType",
    "JobsClient",
    "NotFoundError",
    "Problem",
    "ProblemError",
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
