"""The worker that delivers webhooks, as the settings say."""

from __future__ import annotations

import structlog

from loresmith.bootstrap import Client, build_webhook_worker
from loresmith.jobs import Worker
from loresmith.setting_types import words
from loresmith.settings import Settings

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def webhook_worker(settings: Settings, redis_url: str, redis: Client, *, grace_seconds: float) -> Worker | None:
    """The worker that delivers webhooks, where there are secrets to sign them with."""
    if settings.webhook_secrets is None:
        return None
    if settings.webhook_allow_private:
        _log.warning("webhooks may go to private addresses, also for those who are not you")
    return build_webhook_worker(
        redis_url,
        redis,
        secrets=words(settings.webhook_secrets.get_secret_value()),
        allow_private=settings.webhook_allow_private,
        root_path=settings.root_path,
        grace_seconds=grace_seconds,
    )
