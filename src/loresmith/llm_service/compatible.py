"""A server that speaks OpenAI's chat protocol: vLLM, LM Studio, llama.cpp, a gateway."""

from __future__ import annotations

from typing import Any, Final

import httpx2
from pydantic_ai.models import Model, create_async_httpx2_client
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIStreamedResponse
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.usage import RequestUsage

from loresmith.llm.errors import GenerationError
from loresmith.llm_service.provider_names import COMPATIBLE, BaseUrl
from loresmith.llm_service.tolerance import TolerantTransport
from loresmith.proxies import check_proxies, goes_direct, is_this_machine

_CONNECT_TIMEOUT_SECONDS: Final = 5.0
_READ_TIMEOUT_SECONDS: Final = 600.0
_MOST_CONNECTIONS: Final = 1000
_KEPT_IDLE_SECONDS: Final = 3.0


class CompatibleServer:
    """Such a server, under an address that may change. Raises VariableError for a proxy that cannot be used."""

    def __init__(self, model_name: str, base_url: BaseUrl, api_key: str | None) -> None:
        self._model_name = model_name
        self._base_url = base_url
        self._api_key = api_key
        self._model: tuple[str, Model] | None = None
        direct = callable(base_url) or goes_direct(base_url)
        if not direct:
            check_proxies()
        self.http_client = _http_client(direct=direct, near=callable(base_url) or is_this_machine(base_url))

    def current(self) -> Model:
        """The model at the present address."""
        url = self._base_url() if callable(self._base_url) else self._base_url
        if not url:
            raise GenerationError("provider_unavailable", "the model is not running at the moment", began=False)
        if self._model is None or self._model[0] != url:
            self._model = (url, self._at(url))
        return self._model[1]

    def _at(self, url: str) -> Model:
        provider = OpenAICompatibleProvider(
            COMPATIBLE, base_url=url, api_key=self._api_key, http_client=self.http_client
        )
        profile = OpenAIModelProfile(
            supports_json_schema_output=True,
        )
        return _ChatModel(self._model_name, provider=provider, profile=profile)


class _Stream(OpenAIStreamedResponse):
    """A stream whose usage is the highest that any chunk names: many servers send running totals in each."""

    def _add_usage(self, usage: RequestUsage, *, reported: bool, cumulative: bool = False) -> None:
        if not reported:
            return super()._add_usage(usage, reported=False, cumulative=cumulative)
        before = self._usage
        highest = usage if usage.total_tokens >= before.total_tokens else before
        return super()._add_usage(highest, reported=True, cumulative=True)


class _ChatModel(OpenAIChatModel):
    @property
    def _streamed_response_cls(self) -> type[OpenAIStreamedResponse]:
        return _Stream


def _http_client(*, direct: bool, near: bool) -> httpx2.AsyncClient:
    """A client; a `direct` one ignores the proxies that the environment names, a `near` one connects for each request.

    A server may close an idle connection in the moment in which a request is sent on it, and a request to a model is
    not sent twice. llama.cpp, uvicorn (vLLM) and Ollama close after 5 s or later.
    """
    limits = httpx2.Limits(
        max_connections=_MOST_CONNECTIONS,
        max_keepalive_connections=0 if near else 100,
        keepalive_expiry=_KEPT_IDLE_SECONDS,
    )
    timeout = httpx2.Timeout(_READ_TIMEOUT_SECONDS, connect=_CONNECT_TIMEOUT_SECONDS)
    transport = httpx2.AsyncHTTPTransport(limits=limits) if direct else None
    client: Any = create_async_httpx2_client(timeout=timeout, limits=limits, transport=transport)
    # The transports through proxies of the environment are made by the client itself, which has no hook for them.
    client._transport = TolerantTransport(client._transport)  # noqa: SLF001
    client._mounts = {at: one and TolerantTransport(one) for at, one in client._mounts.items()}  # noqa: SLF001
    return client
