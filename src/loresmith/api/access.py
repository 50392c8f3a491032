"""All that decides who may use the API of a process, and how much."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from loresmith.api.guard import Guard, OpenGuard
from loresmith.api.job_tokens import JobTokens, secret_kept
from loresmith.api.site import Site

MOST_BYTES: Final = 256 * 1024
"""The largest job that is taken, as JSON."""
_METHODS: Final = ("GET", "POST", "DELETE")
_SENT: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "X-Request-Id",
)
_SHOWN: Final = (
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
)
_PREFLIGHT_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class OwnerLimits:
    """What one owner may have: jobs that are with workers at once (0: any number), and bytes of a job."""

    running_jobs: int = 0
    payload_bytes: int = MOST_BYTES


def _own_secret() -> JobTokens:
    secret = secrets.token_bytes(32)

    async def load() -> bytes:
        return secret

    return JobTokens(secret_kept(load))


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use the API; by itself: whoever reaches it from this machine, as the one local owner."""

    guard: Guard = field(default_factory=OpenGuard)
    job_tokens: JobTokens = field(default_factory=_own_secret)
    site: Site = field(default_factory=Site)
    limits: OwnerLimits = OwnerLimits()
    asks: bool = False
    """Whether callers must show who they are."""
    cors_origins: Sequence[str] = ()
    closes: Sequence[Callable[[], Awaitable[None]]] = ()

    def for_pages(self, app: ASGIApp) -> ASGIApp:
        """Let pages of the allowed origins use the app; without any, browsers keep all others out by themselves."""
        if not self.cors_origins:
            return app
        return CORSMiddleware(
            app,
            allow_origins=self.cors_origins,
            allow_methods=_METHODS,
            allow_headers=_SENT,
            expose_headers=_SHOWN,
            max_age=_PREFLIGHT_SECONDS,
        )

    async def close(self) -> None:
        """End what is under way in the background."""
        for close in (self.job_tokens.close, *self.closes):
            await close()
