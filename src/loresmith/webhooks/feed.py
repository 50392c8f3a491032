"""Makes a delivery of each ended job whose submitter wants to be told of it."""

from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from loresmith.jobs import EndedJob, InternalJob, InternalJobs, Options, StoreUnavailableError, TransientError
from loresmith.webhooks.subscription import Subscription, delivery_id

log = structlog.get_logger(__name__)

GROUP: Final = "webhooks"
"""The group of readers of ended jobs."""
OWNERS_SHARE: Final = 16
"""Deliveries of one owner that are under way at once: receivers that are slow hold up nobody else's."""
RECEIVERS_SHARE: Final = 8
"""Of these, deliveries to one host: one receiver that is slow leaves room for the owner's others."""
MOST_TO_A_HOST: Final = 32
"""Deliveries of all owners to one host, half of what a process does at once."""


class Feed:
    """What follows ended jobs, at least once each; a delivery is made once, since its id follows from the job's."""

    def __init__(self, deliveries: InternalJobs) -> None:
        self._deliveries = deliveries

    async def follow(self, ended: Sequence[EndedJob]) -> None:
        """Make what is to be delivered. Raises TransientError while Redis is away."""
        wanted = [delivery for one in ended if (delivery := _delivery_of(one)) is not None]
        if not wanted:
            return
        try:
            await self._deliveries.create(wanted)
        except StoreUnavailableError as error:
            raise TransientError(str(error), code="store_unavailable") from error


def _delivery_of(ended: EndedJob) -> InternalJob | None:
    job = ended.job
    try:
        subscription = Subscription.of(ended.submitted.attached or {})
    except msgspec.ValidationError:
        log.exception("the webhook of a job cannot be read", job_id=job.id)
        return None
    event = subscription.event_of(job) if subscription is not None else None
    if event is None:
        return None
    owner, host = ended.submitted.owner, subscription.receiver if subscription is not None else ""
    groups = {host: MOST_TO_A_HOST, f"{owner} {host}": RECEIVERS_SHARE}
    options = Options(owner=owner, running_limit=OWNERS_SHARE, groups=groups)
    return InternalJob(delivery_id(job.id, event), {"job_id": job.id, "event": event}, options)
