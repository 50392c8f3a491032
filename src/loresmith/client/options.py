"""The keyword arguments that submits and listings take, typed once for both clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from loresmith.client.calls import Priority, Webhook


class JobOptions(TypedDict, total=False):
    """What a submit takes beside type and payload; see docs/http-api.md."""

    metadata: Mapping[str, Any]
    tags: Sequence[str]
    priority: Priority
    run_at: datetime | None
    delay_seconds: float | None
    deadline_seconds: float | None
    max_attempts: int | None
    webhook: Webhook | None


class Filters(TypedDict, total=False):
    """What a listing is narrowed down to; all that is given must hold."""

    state: str | None
    status: str | None
    type: str | None
    tag: str | None
    created_after: datetime | None
