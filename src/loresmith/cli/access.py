"""Who may use the API of a process, and how much, as the settings say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from loresmith.api.access import Access, OwnerLimits
from loresmith.api.access_tokens import AccessTokens, Claims, SharedSecret
from loresmith.api.api_keys import ApiKeys
from loresmith.api.guard import KeyGuard, OpenGuard
from loresmith.api.job_tokens import JobTokens, secret_kept
from loresmith.api.key_set import KeySet
from loresmith.api.rate import Quota, RateLimiter
from loresmith.api.shared import Shared
from loresmith.api.site import Site
from loresmith.bootstrap import Client
from loresmith.db import Database, Keys
from loresmith.proxies import check_proxies, goes_direct
from loresmith.setting_types import words
from loresmith.settings import Settings

REQUESTS_PER_MINUTE = 3000
ACTIVE_JOBS = 1000
RUNNING_JOBS = 100
"""What an owner may have where callers show who they are and the settings say nothing; the local owner: anything."""
ANY_NUMBER = 1_000_000


def active_jobs(settings: Settings) -> int:
    """Jobs of an owner that may be open at once."""
    return _limit(settings, settings.owner_active_jobs, ACTIVE_JOBS) or ANY_NUMBER


def access_of(settings: Settings, database: Database, redis: Client) -> Access:
    """Build what decides who comes in. Call its `close` at the end. Raises VariableError for an unusable proxy."""
    shared = Shared(redis)
    job_tokens = JobTokens(secret_kept(shared.secret))
    limiter = _limiter(settings, shared)
    keys = ApiKeys(Keys(database)) if "keys" in settings.auth else None
    tokens = _access_tokens(settings) if "jwt" in settings.auth else None
    asks = settings.auth != "none"
    guard = KeyGuard(job_tokens, keys=keys, access_tokens=tokens, limiter=limiter) if asks else OpenGuard(limiter)
    parts = [part for part in (limiter, keys, tokens) if part is not None]
    closes: list[Callable[[], Awaitable[None]]] = [part.close for part in parts]
    limits = OwnerLimits(_running_jobs(settings), settings.owner_payload_bytes)
    origins = words(settings.cors_origins or "")
    return Access(guard, job_tokens, _site(settings, origins), limits, asks, origins, closes)


def _site(settings: Settings, origins: tuple[str, ...]) -> Site:
    """Without keys, what a browser sends counts as the owner's own wish: then only known names and pages are heard."""
    asks, hosts = settings.auth != "none", words(settings.allowed_hosts or "")
    anything = "*" in hosts or (asks and not hosts)
    return Site(
        None if anything else [host.strip("[]") for host in hosts],
        addresses=asks or settings.allow_anonymous,
        guarded=not asks,
        origins=origins,
    )


def _access_tokens(settings: Settings) -> AccessTokens:
    if settings.jwt_jwks_url is not None:
        if not goes_direct(settings.jwt_jwks_url):
            check_proxies()
        keys = KeySet(settings.jwt_jwks_url, words(settings.jwt_algorithms))
    else:
        keys = SharedSecret(settings.jwt_secret.get_secret_value() if settings.jwt_secret else "")
    claims = Claims(
        issuer=settings.jwt_issuer or "",
        audience=settings.jwt_audience or "",
        leeway_seconds=settings.jwt_leeway_seconds,
        scope_claim=settings.jwt_scope_claim,
        admin_scope=settings.jwt_admin_scope,
    )
    return AccessTokens(keys, claims)


def _limiter(settings: Settings, shared: Shared) -> RateLimiter | None:
    per_minute = _limit(settings, settings.owner_requests_per_minute, REQUESTS_PER_MINUTE)
    return RateLimiter(Quota(per_minute), shared.charge) if per_minute else None


def _running_jobs(settings: Settings) -> int:
    """The engine counts the open jobs of those owners only whose running ones are bounded."""
    running = _limit(settings, settings.owner_running_jobs, RUNNING_JOBS)
    bounded = _limit(settings, settings.owner_active_jobs, ACTIVE_JOBS) > 0
    return running or (ANY_NUMBER if bounded else 0)


def _limit(settings: Settings, chosen: int | None, usual: int) -> int:
    if chosen is not None:
        return chosen
    return 0 if settings.auth == "none" else usual
