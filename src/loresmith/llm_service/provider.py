"""A model at a provider: which one, how it is reached, and what it can do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model, infer_model
from pydantic_ai.settings import ModelSettings

from loresmith.llm.port import DEFAULT_OUTPUT_TOKENS
from loresmith.llm_service.fake import FakeModel
from loresmith.llm_service.fake_spec import FakeSpec
from loresmith.llm_service.modes import OutputMode, OutputModes
from loresmith.llm_service.provider_names import COMPATIBLE, BaseUrl, variables_of
from loresmith.llm_service.retry_after import LONGEST_PAUSE_SECONDS
from loresmith.pasted import clean_variables
from loresmith.proxies import check_proxies

TRIED: Final = frozenset({"openai", "anthropic", "ollama", COMPATIBLE, "fake"})
"""Providers that the tests speak with; others of pydantic-ai are taken if their package is installed."""
_ONE_PROVIDER: Final = {"openai-chat": "openai", "openai-responses": "openai"}
USUAL_CALLS: Final = 8
_CHAT: Final = frozenset({COMPATIBLE, "openai-chat", "ollama", "vllm", "litellm", "openrouter", "deepseek", "azure"})
"""Providers whose protocol has a format of the answer that is JSON of any form."""
_VERSION: Final = re.compile(r"/(?:v\d+\w*|openai|api)(?:/|$)")


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What holds for every call of a model."""

    silence_seconds: float = 90.0
    """A provider that sends nothing for so long has failed; a comment or an empty chunk is something."""
    longest_pause_seconds: float = LONGEST_PAUSE_SECONDS
    """The longest pause that a `Retry-After` can ask for."""
    max_output_tokens: int = DEFAULT_OUTPUT_TOKENS
    """For a request that names no limit."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One model, ready to be called.

    `name` is whose limits it is under. `current` gives the pydantic-ai model of this moment; it raises
    GenerationError while there is none. `settings` hold for every call. `resources` are open while the service runs.
    `present` returns once there is a model; None for one that is always there.
    """

    name: str
    label: str
    current: Callable[[], Model]
    streams: bool
    concurrent_calls: int
    settings: ModelSettings
    resources: tuple[AbstractAsyncContextManager[object], ...] = ()
    present: Callable[[], Awaitable[object]] | None = None
    guided: bool = False
    """Whether the model is too small to follow a prompt."""
    modes: OutputModes = field(default_factory=OutputModes)
    """How the model is asked for an object, as far as its server was found to take it."""
    limits: CallLimits = field(default_factory=CallLimits)
    secrets: tuple[str, ...] = ()
    """Texts that no log shows."""
    account: str = ""
    """A digest of address and key: whom a pause that the provider asks for is about."""
    lacks_version: bool = False
    """Whether the address has no `/v1`, which most servers of OpenAI's protocol want."""


def find_provider(
    name: str,
    *,
    base_url: BaseUrl | None = None,
    api_key: str | None = None,
    label: str | None = None,
    concurrent_calls: int | None = None,
    streams: bool = True,
    temperature: float | None = None,
    extra_body: Mapping[str, object] | None = None,
    output: OutputMode | None = None,
    limits: CallLimits | None = None,
) -> Provider:
    """The provider that a model name such as `LORESMITH_MODEL` stands for.

    `fake?seconds=3&tokens=200` is the scripted one. `openai-compatible` or
    `openai-compatible:<model>` is any server that speaks OpenAI's protocol at `base_url`; a
    callable is asked before each call, for a server that may move to another port, and returns
    None while there is none. Every other name goes to pydantic-ai (`openai:gpt-5-mini`), which
    reads the key from the provider's own environment variable. `temperature` holds where a request
    names none; `extra_body` goes into every request; `output` fixes the way of asking, which is found out else.
    Retries are left to the engine.

    Raises ValueError if the name, or what belongs to it, is wrong, and VariableError for a key, an address or a proxy
    in the environment that cannot be used.
    """
    if name.partition("?")[0] == "fake":
        return _fake(name, concurrent_calls)
    kind, _, model_name = name.partition(":")
    settings = ModelSettings(max_retries=0)
    if temperature is not None:
        settings["temperature"] = temperature
    if extra_body:
        settings["extra_body"] = dict(extra_body)
    calls = concurrent_calls or USUAL_CALLS
    limits = limits or CallLimits()
    if kind != COMPATIBLE:
        known = _known(name, label or model_name, calls, streams=streams, settings=settings)
        return replace(known, limits=limits, modes=_ladder(output, kind))
    if base_url is None:
        raise ValueError(f"model {name!r} needs the base URL of its server")
    from loresmith.llm_service.compatible import CompatibleServer  # noqa: PLC0415 - loads OpenAI's client, half a second

    server = CompatibleServer(model_name or "default", base_url, api_key)
    return Provider(
        COMPATIBLE,
        label or model_name or COMPATIBLE,
        server.current,
        streams=streams,
        concurrent_calls=calls,
        settings=settings,
        resources=(server.http_client,),
        modes=_ladder(output, kind),
        limits=limits,
        secrets=(api_key,) if api_key else (),
        account=_account(str(base_url) if isinstance(base_url, str) else "", api_key or ""),
        lacks_version=isinstance(base_url, str) and not _VERSION.search(base_url),
    )


def _ladder(output: OutputMode | None, kind: str) -> OutputModes:
    if output is not None:
        return OutputModes((output,))
    if kind in _CHAT:
        return OutputModes()
    return OutputModes((OutputMode.JSON_SCHEMA, OutputMode.TOOL, OutputMode.WORDS))


def _account(address: str, key: str) -> str:
    return hashlib.sha256(f"{address}\n{key}".encode()).hexdigest()[:12]


def _fake(name: str, concurrent_calls: int | None) -> Provider:
    spec = FakeSpec.parse(name)
    model = FakeModel(spec)
    return Provider("fake", "fake", lambda: model, spec.stream, concurrent_calls or spec.slots, ModelSettings())


def _known(name: str, label: str, concurrent_calls: int, *, streams: bool, settings: ModelSettings) -> Provider:
    kind = name.partition(":")[0]
    clean_variables(variables_of(kind))
    check_proxies()
    try:
        model = infer_model(name)
    except (UserError, ImportError) as error:
        raise ValueError(f"model {name!r} cannot be used: {error}") from error
    settings["thinking"] = False  # thoughts cost tokens, and would eat up those that the answer is given
    client: Any = getattr(model, "client", None)
    key = str(getattr(client, "api_key", "") or "")
    return Provider(
        _ONE_PROVIDER.get(kind, kind),
        label,
        lambda: model,
        streams,
        concurrent_calls,
        settings,
        resources=(model,),
        secrets=(key,) if key else (),
        account=_account(str(model.base_url or ""), key),
    )
