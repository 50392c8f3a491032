"""A model at a provider: which one, how it is reached, and what it can do."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model, create_async_httpx2_client, infer_model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings

from loresmith.llm.errors import GenerationError
from loresmith.llm_service.fake import FakeModel
from loresmith.llm_service.fake_spec import FakeSpec

BaseUrl = str | Callable[[], str | None]

COMPATIBLE: Final = "openai-compatible"
_CONNECT_TIMEOUT_SECONDS: Final = 5.0
_READ_TIMEOUT_SECONDS: Final = 600.0
_MOST_CONNECTIONS: Final = 1000


DecodingSchema = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Provider:
    """One model, ready to be called.

    `current` gives the pydantic-ai model of this moment; it raises GenerationError while there is
    none. `settings` hold for every call. `resources` are open while the service runs.
    `present` returns once there is a model; None for one that is always there.
    """

    label: str
    current: Callable[[], Model]
    streams: bool
    concurrent_calls: int
    settings: ModelSettings
    resources: tuple[AbstractAsyncContextManager[object], ...] = ()
    present: Callable[[], Awaitable[object]] | None = None
    decoding: DecodingSchema | None = None
    """Makes of a request's schema what this model's decoder takes; the answer is judged by the request's own."""


def find_provider(
    name: str,
    *,
    base_url: BaseUrl | None = None,
    api_key: str | None = None,
    label: str | None = None,
    concurrent_calls: int = 8,
    streams: bool = True,
    temperature: float | None = None,
    extra_body: Mapping[str, object] | None = None,
    decoding: DecodingSchema | None = None,
) -> Provider:
    """The provider that a model name such as `LORESMITH_MODEL` stands for.

    `fake?seconds=3&tokens=200` is the scripted one. `openai-compatible` or
    `openai-compatible:<model>` is any server that speaks OpenAI's protocol at `base_url`; a
    callable is asked before each call, for a server that may move to another port, and returns
    None while there is none. Every other name goes to pydantic-ai (`openai:gpt-5-mini`), which
    reads the key from the provider's own environment variable. `temperature` holds where a request
    names none; `extra_body` goes into every request. Retries are left to the engine.

    Raises ValueError if the name, or what belongs to it, is wrong.
    """
    if name.partition("?")[0] == "fake":
        return _fake(name)
    kind, _, model_name = name.partition(":")
    settings = ModelSettings(max_retries=0)
    if temperature is not None:
        settings["temperature"] = temperature
    if extra_body:
        settings["extra_body"] = dict(extra_body)
    if kind != COMPATIBLE:
        return _known(name, label or model_name, concurrent_calls, streams=streams, settings=settings)
    if base_url is None:
        raise ValueError(f"model {name!r} needs the base URL of its server")
    server = _CompatibleServer(model_name or "default", base_url, api_key)
    return Provider(
        label or model_name or COMPATIBLE,
        server.current,
        streams=streams,
        concurrent_calls=concurrent_calls,
        settings=settings,
        resources=(server.http_client,),
        decoding=decoding,
    )


def _fake(name: str) -> Provider:
    spec = FakeSpec.parse(name)
    model = FakeModel(spec)
    return Provider("fake", lambda: model, spec.stream, spec.slots, ModelSettings())


def _known(name: str, label: str, concurrent_calls: int, *, streams: bool, settings: ModelSettings) -> Provider:
    try:
        model = infer_model(name)
    except (UserError, ImportError) as error:
        raise ValueError(f"model {name!r} cannot be used: {error}") from error
    return Provider(label, lambda: model, streams, concurrent_calls, settings, resources=(model,))


class _CompatibleServer:
    """A server that speaks OpenAI's protocol, under an address that may change."""

    def __init__(self, model_name: str, base_url: BaseUrl, api_key: str | None) -> None:
        self._model_name = model_name
        self._base_url = base_url
        self._api_key = api_key
        self._model: tuple[str, Model] | None = None
        self.http_client = _http_client(direct=callable(base_url) or _is_loopback(base_url))

    def current(self) -> Model:
        """The model at the present address."""
        url = self._base_url() if callable(self._base_url) else self._base_url
        if not url:
            raise GenerationError("provider_unavailable", "the model is not running at the moment")
        if self._model is None or self._model[0] != url:
            self._model = (url, self._at(url))
        return self._model[1]

    def _at(self, url: str) -> Model:
        provider = OpenAICompatibleProvider(
            COMPATIBLE, base_url=url, api_key=self._api_key, http_client=self.http_client
        )
        profile = OpenAIModelProfile(
            supports_json_schema_output=True,
            openai_chat_streaming_requires_finish_reason=True,  # else a cut stream passes for whole
        )
        return OpenAIChatModel(self._model_name, provider=provider, profile=profile)


def _http_client(*, direct: bool) -> httpx2.AsyncClient:
    """A client; a `direct` one ignores the proxies that the environment names."""
    limits = httpx2.Limits(max_connections=_MOST_CONNECTIONS, max_keepalive_connections=100)
    timeout = httpx2.Timeout(_READ_TIMEOUT_SECONDS, connect=_CONNECT_TIMEOUT_SECONDS)
    transport = httpx2.AsyncHTTPTransport(limits=limits) if direct else None
    return create_async_httpx2_client(timeout=timeout, limits=limits, transport=transport)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
