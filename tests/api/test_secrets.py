"""Nothing secret is in logs, errors or traces, whatever goes wrong."""

import contextlib
import logging
from collections.abc import Generator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from loresmith.db import Database, Keys
from loresmith.jobs import JobRegistry
from loresmith.settings import SettingsError, load_settings
from loresmith.telemetry import configure_logging
from tests.api.guarded import guarded, submitted_by
from tests.api.signing import SECRET, SETTINGS, token


@contextlib.contextmanager
def everything_logged() -> Generator[None]:
    """Down to what libraries of the server say of themselves."""
    configure_logging("debug", "json")
    chatty = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.access", "asyncio", "aiosqlite")]
    levels = [logger.level for logger in chatty]
    for logger in chatty:
        logger.setLevel(logging.DEBUG)
    yield
    for logger, usual in zip(chatty, levels, strict=True):
        logger.setLevel(usual)


async def test_keys_and_tokens_are_in_no_log_and_no_answer(
    redis: Any,
    registry: JobRegistry,
    database: Database,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {**SETTINGS, "auth": "keys,jwt", "jwt_secret": SECRET}
    answers: list[httpx2.Response] = []
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(everything_logged())
        api = await stack.enter_async_context(guarded(redis, registry, database, **settings))
        anna = await api.owner("anna")
        job_id = await submitted_by(anna)
        job_token: str = (await anna.post(f"/jobs/{job_id}/tokens")).json()["token"]
        wrong_key, wrong_token = "ls_" + "W" * 43, token(f"another {SECRET}")
        shown = [api.made[0], wrong_key, token(), token(exp=1), wrong_token, job_token, job_token[:-4] + "AAAA"]
        nobody = await api.client()

        async def ask_all() -> None:
            for one in shown:
                client = await api.client(one)
                answers.append(await client.post("/jobs", json={"type": "play", "payload": {"steps": [1]}}))
                for path in (f"/jobs/{job_id}", "/jobs?limit=x", f"/jobs/{uuid4()}/events", "/nowhere"):
                    answers.append(await client.get(path))
                    answers.append(await nobody.get(f"{path.partition('?')[0]}?token={one}"))
                answers.append(await nobody.get("/jobs", headers={"Authorization": one}))

        await ask_all()

        async def broken(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(api.manager, "view", broken)
        monkeypatch.setattr(Keys, "ring", broken)
        await ask_all()
    assert 500 in {answer.status_code for answer in answers}
    told = "".join(capsys.readouterr()) + "".join(f"{answer.headers} {answer.text}" for answer in answers)
    assert "request failed" in told
    for one in (*shown, SECRET, *(one.rpartition(".")[2] for one in shown)):
        assert one not in told, one[:12]


def test_a_wrong_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_JWT_SECRET", "hush hush")
    with pytest.raises(SettingsError, match="LORESMITH_JWT_SECRET: expected at least 32 characters") as caught:
        load_settings()
    assert "hush" not in str(caught.value)
    monkeypatch.delenv("LORESMITH_JWT_SECRET")
    assert SECRET not in repr(load_settings(jwt_secret=SECRET))
