"""Access, limits and webhooks of an API process, as the settings say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from loresmith.api.access import Access, OwnerLimits
from loresmith.api.access_tokens import AccessTokens, Claims, SharedSecret
from loresmith.api.api_keys import ApiKeys
from loresmith.api.guard import KeyGuard, OpenGuard
from loresmith.api.host_guard import HostGuard, OwnerDependency
from loresmith.api.job_tokens import JobTokens, secret_kept
from loresmith.api.key_set import KeySet
from loresmith.api.rate import Quota, RateLimiter
from loresmith.api.shared import Shared
from loresmith.api.site import Site
from loresmith.api.webhooks import Webhooks
from loresmith.bootstrap import Client, build_deliveries
from loresmith.db import Database, Keys
from loresmith.proxies import check_proxies, goes_direct
from loresmith.setting_types import words
from loresmith.settings import Settings
from loresmith.webhooks import Deliveries, Rules

REQUESTS_PER_MINUTE = 3000
ACTIVE_JOBS = 1000
RUNNING_JOBS = 100
"""What an owner may have where callers show who they are and the settings say nothing; the local owner: anything."""
ANY_NUMBER = 1_000_000


def active_jobs(settings: Settings, *, asks: bool | None = None) -> int:
    """Jobs of an owner that may be open at once; `asks` as in `limits_of`."""
    return _limit(settings.owner_active_jobs, ACTIVE_JOBS, asks=_asks(settings, asks)) or ANY_NUMBER


def limits_of(settings: Settings, *, asks: bool | None = None) -> OwnerLimits:
    """Return what one owner may have; `asks` says that callers show who they are, whatever the settings say."""
    running = _running_jobs(settings, asks=_asks(settings, asks))
    return OwnerLimits(running, settings.owner_payload_bytes)


def access_of(
    settings: Settings,
    database: Database,
    redis: Client,
    *,
    owner: OwnerDependency | None = None,
) -> Access:
    """Build what decides who comes in. Call its `close` at the end. Raises VariableError for an unusable proxy.

    With an `owner`, the dependency of an application around this API says who calls, and that application decides on
    names of hosts.
    """
    shared = Shared(redis)
    job_tokens = JobTokens(secret_kept(shared.secret))
    asks = _asks(settings, owner is not None)
    limiter = _limiter(settings, shared, asks=asks)
    keys = ApiKeys(Keys(database)) if "keys" in settings.auth and owner is None else None
    tokens = _access_tokens(settings) if "jwt" in settings.auth and owner is None else None
    origins = words(settings.cors_origins or "")
    site = _site(settings, origins)
    if owner is not None:
        guard, site = HostGuard(job_tokens, owner, limiter=limiter), Site(None, origins=origins)
    elif asks:
        guard = KeyGuard(job_tokens, keys=keys, access_tokens=tokens, limiter=limiter)
    else:
        guard = OpenGuard(limiter)
    parts = [part for part in (limiter, keys, tokens) if part is not None]
    closes: list[Callable[[], Awaitable[None]]] = [part.close for part in parts]
    return Access(guard, job_tokens, site, limits_of(settings, asks=asks), asks, origins, closes)


def webhooks_of(settings: Settings, redis: Client) -> Webhooks:
    """What an API process knows of webhooks; without a secret to sign them with, it takes none."""
    rules = None if settings.webhook_secrets is None else Rules(allow_private=settings.webhook_allow_private)
    return Webhooks(Deliveries(build_deliveries(redis)), rules)


def _asks(settings: Settings, asks: bool | None) -> bool:
    return asks or settings.auth != "none"


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


def _limiter(settings: Settings, shared: Shared, *, asks: bool) -> RateLimiter | None:
    per_minute = _limit(settings.owner_requests_per_minute, REQUESTS_PER_MINUTE, asks=asks)
    return RateLimiter(Quota(per_minute), shared.charge) if per_minute else None


def _running_jobs(settings: Settings, *, asks: bool) -> int:
    """The engine counts the open jobs of those owners only whose running ones are bounded."""
    running = _limit(settings.owner_running_jobs, RUNNING_JOBS, asks=asks)
    bounded = _limit(settings.owner_active_jobs, ACTIVE_JOBS, asks=asks) > 0
    return running or (ANY_NUMBER if bounded else 0)


def _limit(chosen: int | None, usual: int, *, asks: bool) -> int:
    return chosen if chosen is not None else usual if asks else 0
