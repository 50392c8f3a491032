"""The delivery log of a job, as its owner reads it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from pydantic import BaseModel, Field

from loresmith.jobs import InternalJobs, InternalView, Job, State
from loresmith.webhooks.delivery import Try, tries_of
from loresmith.webhooks.subscription import Subscription, webhook_id
from loresmith.webhooks.subscription import delivery_id as id_of

Standing = Literal["pending", "delivered", "failed"]


class Delivery(BaseModel):
    """One message to a receiver, with its tries."""

    id: str = Field(description="its `webhook-id`")
    event: str
    state: Standing = Field(description="`failed`: it is not tried again")
    tries: list[Try]
    next_try_at: datetime | None = None
    error: str | None = Field(default=None, description="why it was given up")


class Deliveries:
    """Reads the deliveries of jobs."""

    def __init__(self, jobs: InternalJobs) -> None:
        self._jobs = jobs

    async def of(self, job: Job, attached: Mapping[str, Any]) -> list[Delivery]:
        """Return what was, or is to be, delivered of a job: nothing before its end. Raises StoreUnavailableError."""
        subscription = Subscription.of(attached)
        event = subscription.event_of(job) if subscription is not None and job.done else None
        if event is None:
            return []
        view = await self._jobs.find(id_of(job.id, event))
        return [_delivery(webhook_id(job.id, event), event, view)]


def _delivery(message_id: str, event: str, view: InternalView | None) -> Delivery:
    delivery = Delivery(id=message_id, event=event, state="pending", tries=[])
    if view is None:  # whoever follows ended jobs has not come to it yet
        return delivery
    job = view.job
    if job.state is State.COMPLETED:
        return delivery.model_copy(update={"state": "delivered", "tries": tries_of(msgspec.json.decode(job.result))})
    delivery.tries = tries_of([msgspec.json.decode(item) for item in view.items.values()])
    if job.done:
        return delivery.model_copy(update={"state": "failed", "error": job.error})
    delivery.next_try_at = None if view.due_ms is None else datetime.fromtimestamp(view.due_ms / 1000, UTC)
    return delivery
