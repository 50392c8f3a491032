"""The lore service of a process, and the way to one: models, limits, budgets, and who may call."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

import structlog

from loresmith.bootstrap import Client, connect
from loresmith.cli.lore_health import LoreHealth
from loresmith.cli.stack import StartError
from loresmith.embedded.model import TEMPERATURE, EmbeddedModel
from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.tls import TlsFiles
from loresmith.llm_service.access import Access
from loresmith.llm_service.budgets import Budget, Budgets
from loresmith.llm_service.circuit import Circuit
from loresmith.llm_service.ledger import Limits
from loresmith.llm_service.limiter import Limiter
from loresmith.llm_service.modes import OutputMode
from loresmith.llm_service.provider import TRIED, CallLimits, Provider, find_provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.server import LoreServer
from loresmith.llm_service.shared import RedisOutage, SharedLedger, SharedPurse
from loresmith.pasted import VariableError
from loresmith.setting_types import per_provider
from loresmith.settings import Settings
from loresmith.telemetry.process import Telemetry

EMBEDDED = "embedded"

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
) -> AsyncGenerator[tuple[str, Callable[[], None], LoreHealth]]:
    """The gRPC server; yields the address at which it is reached, what ends it without grace, and how it is.

    With a Redis, limits and budgets are those of all services on it. Raises StartError.
    """
    async with contextlib.AsyncExitStack() as stack:
        redis = await stack.enter_async_context(connect(redis_url)) if redis_url else None
        route = find_route(settings, child, redis)
        server = LoreServer(route, access, telemetry=telemetry)
        try:
            port = await server.start(address)
        except (OSError, ValueError) as error:
            raise StartError(str(error)) from None
        try:
            yield f"{address.rpartition(':')[0]}:{port}", server.hurry, LoreHealth(route, child, redis, redis_url)
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
    first = _embedded(settings, child) if child else _named(settings, settings.model or "", "LORESMITH_MODEL")
    providers = [first if settings.model_guided is None else replace(first, guided=settings.model_guided)]
    providers += [_named(settings, name, "LORESMITH_MODEL_FALLBACKS") for name in fallbacks]
    first_of_name = {one.name: one for one in reversed(providers)}
    try:
        return Route(
            providers,
            budgets=_budgets(settings, redis),
            limiters=[_limiter(settings, one, redis) for one in first_of_name.values()],
            circuits=[_circuit(name, redis) for name in first_of_name],
            first_token_seconds=settings.model_first_token_seconds,
        )
    except ValueError as error:
        raise StartError(str(error)) from None


def _embedded(settings: Settings, child: EmbeddedModel) -> Provider:
    provider = find_provider(
        f"openai-compatible:{child.model_name}",
        base_url=lambda: child.base_url or None,
        api_key=child.api_key,
        concurrent_calls=child.slots,
        temperature=TEMPERATURE,
        extra_body=child.sampling,
        output=OutputMode.JSON_SCHEMA,
        limits=_call_limits(settings),
    )
    return replace(provider, name=EMBEDDED, present=child.present, guided=child.guided)


def _named(settings: Settings, name: str, setting: str) -> Provider:
    key = settings.model_api_key.get_secret_value() if settings.model_api_key else None
    try:
        provider = find_provider(
            name,
            base_url=settings.model_base_url,
            api_key=key,
            streams=settings.model_stream,
            output=OutputMode(settings.model_output) if settings.model_output else None,
            limits=_call_limits(settings),
        )
    except VariableError as error:
        raise StartError(str(error)) from None
    except ValueError as error:
        raise StartError(f"{setting}: {error}") from None
    if provider.name not in TRIED:
        _log.warning("this provider is untried: nothing in the tests speaks its protocol", provider=provider.name)
    calls = _of(settings.model_concurrency, provider.name)
    return replace(provider, concurrent_calls=calls) if calls else provider


def _call_limits(settings: Settings) -> CallLimits:
    return CallLimits(
        silence_seconds=settings.model_silence_seconds,
        longest_pause_seconds=settings.model_longest_pause_seconds,
        max_output_tokens=settings.model_max_output_tokens,
    )


def _limiter(settings: Settings, provider: Provider, redis: Client | None) -> Limiter:
    name = provider.name
    limits = Limits(
        requests=_of(settings.model_requests_per_minute, name),
        tokens=_of(settings.model_tokens_per_minute, name),
        calls=_of(settings.model_concurrency, name),
    )
    if redis is None or name == EMBEDDED:  # each process has an embedded model of its own
        return Limiter(name, limits)
    return Limiter(name, limits, SharedLedger(redis, name, limits, account=provider.account))


def _circuit(provider: str, redis: Client | None) -> Circuit:
    if redis is None or provider == EMBEDDED:
        return Circuit(provider)
    return Circuit(provider, RedisOutage(redis, provider))


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
