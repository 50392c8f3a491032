"""Webhooks: tell a receiver over HTTPS that a job has ended, signed, again and again until it is heard.

The shape of requests is that of Standard Webhooks (https://www.standardwebhooks.com).
"""

from loresmith.webhooks.deliveries import Deliveries, Delivery, Try
from loresmith.webhooks.delivery import QUEUE, RETRY_SECONDS, Courier, deliver_webhook
from loresmith.webhooks.feed import GROUP, Feed
from loresmith.webhooks.sender import SECONDS, Answer, Outcome, Sender
from loresmith.webhooks.signer import Signer
from loresmith.webhooks.subscription import (
    EVENTS,
    LONGEST_URL,
    Event,
    Rules,
    Subscription,
    WrongUrlError,
)

__all__ = [
    "EVENTS",
    "GROUP",
    "LONGEST_URL",
    "QUEUE",
    "RETRY_SECONDS",
    "SECONDS",
    "Answer",
    "Courier",
    "Deliveries",
    "Delivery",
    "Event",
    "Feed",
    "Outcome",
    "Rules",
    "Sender",
    "Signer",
    "Subscription",
    "Try",
    "WrongUrlError",
    "deliver_webhook",
]
