"""The internal job type that delivers one webhook, with its tries; what it checkpoints is the delivery log."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

import structlog
from pydantic import BaseModel, Field, WithJsonSchema

from loresmith.jobs import (
    JobContext,
    JobManager,
    JobNotFoundError,
    JobView,
    PermanentError,
    StoreUnavailableError,
    TransientError,
    job_type,
)
from loresmith.webhooks.message import body_of
from loresmith.webhooks.sender import Outcome, Sender
from loresmith.webhooks.signer import Signer
from loresmith.webhooks.subscription import Rules, Subscription, WrongUrlError, webhook_id

log = structlog.get_logger(__name__)

QUEUE: Final = "webhooks"
RETRY_SECONDS: Final = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
"""Waits between the tries: together less than the 24 h that the job is kept."""
_PAUSE_SECONDS: Final = 1.0
_MOST_RESCUES: Final = 20


class Order(BaseModel):
    """Which end of which job to tell of; to whom is attached to the job."""

    job_id: str
    event: str


_Outcome = Annotated[Outcome, WithJsonSchema({"type": "string", "examples": list(Outcome)})]


class Try(BaseModel):
    """One try to deliver a message."""

    at: datetime
    outcome: _Outcome = Field(description="`started`: under way, or cut off with its process; more values may come")
    status: int | None = Field(default=None, description="what the receiver answered")
    seconds: Annotated[float, Field(ge=0)] | None = None


@dataclass(frozen=True, slots=True)
class Courier:
    """What a delivery needs: the jobs to tell of, who signs, who sends, and which receivers are allowed."""

    manager: JobManager
    signer: Signer
    sender: Sender
    rules: Rules
    root_path: str = ""
    """The path under which a proxy shows the API."""


@job_type(
    "deliver_webhook",
    expected_seconds=15,
    timeout_seconds=86_400,
    max_attempts=len(RETRY_SECONDS) + 1,
    max_rescues=_MOST_RESCUES,
    retry_seconds=RETRY_SECONDS,
)
async def deliver_webhook(ctx: JobContext[Order]) -> Sequence[Try]:
    """Tell a receiver of the end of a job; return all tries once it has answered 2xx."""
    courier, order = ctx.resource(Courier), ctx.payload
    view, subscription = await _found(courier.manager, order)
    body, message_id = body_of(view, order.event, courier.root_path), webhook_id(order.job_id, order.event)
    began = datetime.now(UTC)
    await ctx.save_item(ctx.run, Try(at=began, outcome=Outcome.STARTED))
    headers, start = courier.signer.headers(message_id, body, now=time.time()), time.monotonic()
    answer = await courier.sender.post(_allowed(courier.rules, subscription), headers, body)
    seconds = round(time.monotonic() - start, 3)
    done = Try(at=began, outcome=answer.outcome, status=answer.status, seconds=seconds)
    _tell(order, subscription, done, ctx.attempt)
    await ctx.save_item(ctx.run, done)
    _judge(done)
    return tries_of(ctx.items.values())


async def _found(manager: JobManager, order: Order) -> tuple[JobView, Subscription]:
    """Return the job, and who is to be told; waits while Redis is away: that is no failure of the receiver."""
    while True:
        try:
            _, attached = await manager.attached(order.job_id)
            view, subscription = await manager.view(order.job_id), Subscription.of(attached)
        except StoreUnavailableError:
            await asyncio.sleep(_PAUSE_SECONDS)
        except JobNotFoundError:
            raise PermanentError("The job was deleted or has expired", code="job_not_found") from None
        else:
            assert subscription is not None, "a delivery is made for a job that has one"
            return view, subscription


def _allowed(rules: Rules, subscription: Subscription) -> str:
    """Return the URL to send to; what may be sent to can have been narrowed down since it was taken."""
    try:
        rules.check(subscription.url)
    except WrongUrlError as error:
        raise PermanentError(f"Nothing may be sent to this URL: {error}", code="url_not_allowed") from None
    return subscription.url


def _judge(done: Try) -> None:
    """Raise what makes the engine try again, or give up."""
    if done.outcome is Outcome.GONE:
        raise PermanentError("The receiver answered 410: it wants nothing more", code="gone")
    if done.outcome is not Outcome.DELIVERED:
        raise TransientError(f"Not delivered: {done.outcome}", code="not_delivered")


def _tell(order: Order, subscription: Subscription, done: Try, attempt: int) -> None:
    """Log a try by the receiver's host: the rest of a URL may be a secret."""
    facts = {"about": order.event, "host": subscription.host, "attempt": attempt}
    level = log.info if done.outcome is Outcome.DELIVERED else log.warning
    level("webhook tried", job_id=order.job_id, outcome=done.outcome, status=done.status, **facts)


def tries_of(values: Iterable[object]) -> list[Try]:
    """Return tries as they were checkpointed, in order."""
    return sorted((Try.model_validate(value) for value in values), key=lambda one: one.at)
