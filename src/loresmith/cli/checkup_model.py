"""What the doctor looks at between a job and its model: the lore service, and the model that is configured."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from pathlib import Path

from loresmith.cli.checkup import PATIENCE_SECONDS, Finding, Level
from loresmith.settings import Settings

_GGUF = "gguf:"


async def look_at_lore(settings: Settings, *, api_is_ready: bool) -> list[Finding]:
    """Look at the lore service that is configured, and at the model behind it; else at the model that `run` takes."""
    if settings.lore_url is not None:
        return await _remote(settings, settings.lore_url)
    if api_is_ready:
        lore = Finding("lore service", Level.OK, "the API has all that it needs")
    else:
        lore = Finding("lore service", Level.NOTE, "not running", "`loresmith run` starts it")
    return [lore, _local_model(settings)]


async def look_at_pauses(redis_url: str | None, *, clear: bool) -> list[Finding]:
    """Look at the pauses for which providers asked, and end them if that is wished."""
    from loresmith.bootstrap import connect
    from loresmith.llm_service.shared import clear_pauses, pauses

    if redis_url is None:
        return []
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), connect(redis_url) as redis:
            found = await pauses(redis)
            cleared = await clear_pauses(redis) if clear else 0
    except Exception:
        return []
    if clear:
        return [Finding("pauses", Level.OK, f"{cleared} cleared")]
    return [
        Finding(
            "pauses",
            Level.NOTE,
            f"the provider {_provider_in(key)!r} asked for a pause, {seconds:.0f} s are left",
            "wait, or end it: loresmith doctor --clear-pauses",
        )
        for key, seconds in found.items()
    ]


def _provider_in(key: str) -> str:
    return key.partition("{")[2].partition("}")[0]


async def _remote(settings: Settings, address: str) -> list[Finding]:
    from loresmith.cli.lore import client_tls, token_of
    from loresmith.llm.health import health_of, is_serving

    tls = client_tls(settings)
    try:
        state = await health_of(address, tls=tls, timeout_seconds=PATIENCE_SECONDS)
    except ValueError as error:
        return [Finding("lore service", Level.WRONG, str(error), "correct LORESMITH_LORE_TLS_…")]
    if not is_serving(state):
        advice = "start `loresmith lore`, or correct LORESMITH_LORE_URL"
        return [Finding("lore service", Level.WRONG, f"{address} says {state}", advice)]
    return [Finding("lore service", Level.OK, f"{address} serves"), await _described(address, token_of(settings), tls)]


async def _described(address: str, token: str | None, tls: object) -> Finding:
    from loresmith.llm.client import GrpcLoreModel
    from loresmith.llm.errors import GenerationError, LoreProtocolError
    from loresmith.llm.tls import TlsFiles

    model = GrpcLoreModel(address, token=token, tls=tls if isinstance(tls, TlsFiles) else None)
    try:
        can = await model.capabilities(timeout_seconds=PATIENCE_SECONDS)
    except (GenerationError, LoreProtocolError) as error:
        return Finding("model", Level.WRONG, str(error), "see LORESMITH_LORE_TOKEN and the log of `loresmith lore`")
    finally:
        await model.close()
    return Finding("model", Level.OK, f"{can.model}, {can.concurrent_calls} calls at once")


def _local_model(settings: Settings) -> Finding:
    from loresmith.cli.children import embedded_model
    from loresmith.cli.lore import find_route
    from loresmith.cli.stack import StartError
    from loresmith.embedded.model import EmbeddedModelError, find_model_file

    if settings.model is not None and settings.model.startswith(_GGUF):
        path = Path(os.path.expanduser(settings.model.removeprefix(_GGUF)))  # noqa: PTH111 (leaves an unknown ~user)
        if not path.is_file():
            return Finding("model", Level.WRONG, f"there is no file {str(path)!r}", "correct LORESMITH_MODEL")
    try:
        if settings.model is None:
            find_model_file()
        child = embedded_model(settings)
        if child is not None and importlib.util.find_spec("xllamacpp") is None:
            advice = "pip install 'loresmith[embedded]', or set LORESMITH_MODEL"
            return Finding("model", Level.WRONG, "the package 'xllamacpp' is not installed", advice)
        find_route(settings, child)
    except (EmbeddedModelError, StartError) as error:
        return Finding("model", Level.WRONG, str(error), "see LORESMITH_MODEL")
    name = f"{child.model_name}, embedded" if child is not None else settings.model
    return Finding("model", Level.OK, str(name))
