"""Webhooks as clients ask for them and read them: the field of a submit, and the delivery log of a job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from loresmith.jobs import FieldProblem, InvalidPayloadError, Job
from loresmith.webhooks import EVENTS, LONGEST_URL, Deliveries, Delivery, Event, Rules, Subscription, WrongUrlError

_NOT_SET_UP = "this server sends no webhooks: it has no LORESMITH_WEBHOOK_SECRETS to sign them with"


class WebhookRequest(BaseModel):
    """Whom to tell when the job has ended: see docs/webhooks.md."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: str = Field(
        min_length=1,
        max_length=LONGEST_URL,
        description="an https URL on the public internet, port 443 or one from 1024 on",
        examples=["https://example.com/hooks/loresmith"],
    )
    events: list[Event] = Field(
        default_factory=lambda: list(EVENTS), min_length=1, description="which ends it is told of; all by default"
    )


class SubscriptionObject(BaseModel):
    """Who is told of what."""

    url: str = Field(description="with `?…` for a query, which may be a secret")
    events: list[str]


class WebhookLog(BaseModel):
    """Whom a job tells of its end, and what came of that so far."""

    webhook: SubscriptionObject | None = Field(description="null for a job without one")
    data: list[Delivery] = Field(description="none until the job has ended as one of the events")


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The webhooks of a server. Without `rules` it takes none."""

    deliveries: Deliveries | None = None
    rules: Rules | None = None

    def attach(self, asked: WebhookRequest | None, pointer: str) -> Mapping[str, Any]:
        """Return what is to be attached to a job. Raises InvalidPayloadError that points at what is wrong."""
        if asked is None:
            return {}
        pointer = f"{pointer}/webhook"
        if self.rules is None:
            raise InvalidPayloadError([FieldProblem(pointer, "webhooks_not_set_up", _NOT_SET_UP)])
        try:
            self.rules.check(asked.url)
        except WrongUrlError as error:
            raise InvalidPayloadError([FieldProblem(f"{pointer}/url", "url_not_allowed", str(error))]) from None
        return Subscription(asked.url, list(dict.fromkeys(asked.events))).attached

    async def log_of(self, job: Job, attached: Mapping[str, Any]) -> WebhookLog:
        """Return the delivery log of a job. Raises StoreUnavailableError."""
        subscription = Subscription.of(attached)
        if subscription is None:
            return WebhookLog(webhook=None, data=[])
        shown = SubscriptionObject(url=subscription.shown_url, events=list(subscription.events))
        found = [] if self.deliveries is None else await self.deliveries.of(job, attached)
        return WebhookLog(webhook=shown, data=found)
