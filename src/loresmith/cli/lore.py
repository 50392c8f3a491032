"""The lore service of a process, and the way to one: models, limits, budgets, and who may call."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import replace

import structlog

from loresmith.bootstrap import Client, connect
from loresmith.cli.stack import StartError
from loresmith.embedded.model import TEMPERATURE, EmbeddedModel
from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.tls import TlsFiles
from loresmith.llm_service.access import Access
from loresmith.llm_service.budgets import Budget, Budgets
from loresmith.llm_service.ledger import Limits
from loresmith.llm_service.limiter import Limiter
from loresmith.llm_service.provider import TRIED, Provider, find_provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.server import LoreServer
from loresmith.llm_service.shared import SharedLedger, SharedPurse
from loresmith.redis_server import RedisServerError, check_server
from loresmith.setting_types import per_provider
from loresmith.settings import Settings
from loresmith.telemetry.process import Telemetry

EMBEDDED = "embedded"

Missing = Callable[[], Awaitable[Mapping[str, str]]]

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def lore_service(
    settings: Settings,
    child: EmbeddedModel | None,
    *,
    address: str,
    access: Access,
    redis_url: str | None = None,
    grace_seconds: float = 0.0,
    telemetry: Telemetry,
) -> AsyncGenerator[tuple[str, Callable[[], None], Missing]]:
    """The gRPC server; yields the address at which it is reached, what ends it without grace, and what it lacks.

    With a Redis, limits and budgets are those of all services on it. Raises StartError.
    """
    async with contextlib.AsyncExitStack() as stack:
        redis = await stack.enter_async_context(connect(redis_url)) if redis_url else None
        server = LoreServer(find_route(settings, child, redis), access, telemetry=telemetry)
        try:
            port = await server.start(address)
        except (OSError, ValueError) as error:
            raise StartError(str(error)) from None
        try:
            yield f"{address.rpartition(':')[0]}:{port}", server.hurry, _missing(child, redis, redis_url)
        finally:
            await server.stop(grace_seconds)


@contextlib.asynccontextmanager
async def lore_model(
    address: str, *, token: str | None, tls: TlsFiles | None = None, telemetry: Telemetry | None = None
) -> AsyncGenerator[GrpcLoreModel]:
    """A connection to a lore service. Raises StartError."""
    model = GrpcLoreModel(address, token=token, tls=tls, tracing=telemetry.tracing if telemetry else None)
    try:
        model.check_files()
    except ValueError as error:
        raise StartError(str(error)) from None
    try:
        yield model
    finally:
        await model.close()


def _missing(child: EmbeddedModel | None, redis: Client | None, redis_url: str | None) -> Missing:
    """What a service needs of this machine and of Redis; a provider is not asked: that costs, and others may do."""

    async def missing() -> Mapping[str, str]:
        gone: dict[str, str] = {}
        if child is not None and not child.base_url:
            gone["model"] = "is being started again"
        if redis is not None and redis_url is not None:
            try:
                await check_server(redis, redis_url)
            except RedisServerError:
                gone["redis"] = "does not answer"
        return gone

    return missing


def access_of(settings: Settings) -> Access:
    """Who may call a service of its own process."""
    tls = _tls_files(settings) if settings.lore_tls_cert else None
    return Access(token_of(settings), tls, settings.lore_allow_anyone)


def token_of(settings: Settings) -> str | None:
    """The secret between a service and its clients."""
    return settings.lore_token.get_secret_value() if settings.lore_token else None


def client_tls(settings: Settings) -> TlsFiles | None:
    """How a client connects: with TLS if it is told whom to trust."""
    return _tls_files(settings) if settings.lore_tls_ca else None


def find_route(settings: Settings, child: EmbeddedModel | None, redis: Client | None = None) -> Route:
    """The models of the settings, the embedded one first if there is one. Raises StartError."""
    fallbacks = settings.model_fallbacks.split(",") if settings.model_fallbacks else []
    first = _embedded(child) if child else _named(settings, settings.model or "", "LORESMITH_MODEL")
    providers = [first if settings.model_guided is None else replace(first, guided=settings.model_guided)]
    providers += [_named(settings, name, "LORESMITH_MODEL_FALLBACKS") for name in fallbacks]
    try:
        return Route(
            providers,
            budgets=_budgets(settings, redis),
            limiters=[_limiter(settings, name, redis) for name in {provider.name for provider in providers}],
            first_token_seconds=settings.model_first_token_seconds,
        )
    except ValueError as error:
        raise StartError(str(error)) from None


def _embedded(child: EmbeddedModel) -> Provider:
    provider = find_provider(
        f"openai-compatible:{child.model_name}",
        base_url=lambda: child.base_url or None,
        api_key=child.api_key,
        concurrent_calls=child.slots,
        temperature=TEMPERATURE,
        extra_body=child.sampling,
    )
    return replace(provider, name=EMBEDDED, present=child.present, guided=child.guided)


def _named(settings: Settings, name: str, setting: str) -> Provider:
    key = settings.model_api_key.get_secret_value() if settings.model_api_key else None
    try:
        provider = find_provider(name, base_url=settings.model_base_url, api_key=key)
    except ValueError as error:
        raise StartError(f"{setting}: {error}") from None
    if provider.name not in TRIED:
        _log.warning("this provider is untried: nothing in the tests speaks its protocol", provider=provider.name)
    calls = _of(settings.model_concurrency, provider.name)
    return replace(provider, concurrent_calls=calls) if calls else provider


def _limiter(settings: Settings, provider: str, redis: Client | None) -> Limiter:
    limits = Limits(
        requests=_of(settings.model_requests_per_minute, provider),
        tokens=_of(settings.model_tokens_per_minute, provider),
        calls=_of(settings.model_concurrency, provider),
    )
    if redis is None or provider == EMBEDDED:  # each process has an embedded model of its own
        return Limiter(provider, limits)
    return Limiter(provider, limits, SharedLedger(redis, provider, limits))


def _budgets(settings: Settings, redis: Client | None) -> Budgets:
    return Budgets(
        Budget(settings.budget_job_tokens, settings.budget_job_usd),
        Budget(settings.budget_owner_day_tokens, settings.budget_owner_day_usd),
        SharedPurse(redis) if redis is not None else None,
    )


def _of(setting: str | None, provider: str) -> int:
    numbers = per_provider(setting) if setting else {}
    return numbers.get(provider, numbers.get("", 0))


def _tls_files(settings: Settings) -> TlsFiles:
    return TlsFiles(settings.lore_tls_cert, settings.lore_tls_key, settings.lore_tls_ca)
