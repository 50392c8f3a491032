"""The embedded model: a real child that answers, ends with its parent, and comes back."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from loresmith.embedded import model as embedded
from loresmith.embedded.model import EmbeddedModel, EmbeddedModelError, find_model_file
from tests.waiting import wait_until


@pytest.fixture
async def model(tmp_path: Path) -> AsyncIterator[EmbeddedModel]:
    """A running model."""
    running = EmbeddedModel(tmp_path / "model.log")
    await running.start()
    yield running
    await running.stop()


async def ask(model: EmbeddedModel, *, key: str | None = None) -> httpx2.Response:
    """Ask for one JSON object of a pattern."""
    schema = {
        "type": "object",
        "properties": {"word": {"type": "string", "pattern": "^k[a-z]{2,5}$"}},
        "required": ["word"],
    }
    body = {
        "messages": [{"role": "user", "content": "Say a word."}],
        "max_tokens": 30,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "item", "schema": schema},
        },
    }
    headers = {"Authorization": f"Bearer {key or model.api_key}"}
    async with httpx2.AsyncClient(base_url=model.base_url, headers=headers, timeout=30, trust_env=False) as client:
        return await client.post("/chat/completions", json=body)


async def test_it_writes_json_under_a_grammar_for_those_with_the_key(model: EmbeddedModel) -> None:
    answer = await ask(model)

    assert answer.status_code == 200
    assert '"k' in answer.json()["choices"][0]["message"]["content"]
    assert (await ask(model, key="wrong")).status_code == 401


async def test_killed_it_comes_back_and_answers(model: EmbeddedModel) -> None:
    first, pid = model.base_url, model.pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)
    await wait_until(lambda: model.restarts == 1)

    assert model.pid not in (None, pid)
    assert model.base_url != first
    assert (await ask(model)).status_code == 200


async def test_whoever_asks_during_a_restart_waits_for_the_new_one(model: EmbeddedModel) -> None:
    assert model.pid is not None
    os.kill(model.pid, signal.SIGKILL)
    await wait_until(lambda: not model.base_url)
    await model.present()
    assert (await ask(model)).status_code == 200


async def test_one_that_hangs_is_killed_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_HEALTH_SECONDS", 0.3)
    hanging = EmbeddedModel(tmp_path / "model.log")
    await hanging.start()
    try:
        assert hanging.pid is not None
        os.kill(hanging.pid, signal.SIGSTOP)
        await wait_until(lambda: hanging.restarts == 1)
        assert (await ask(hanging)).status_code == 200
    finally:
        await hanging.stop()


async def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.log").mkdir()
    with pytest.raises(EmbeddedModelError, match=r"cannot write '.*model\.log'"):
        await EmbeddedModel(tmp_path / "model.log").start()


async def test_its_noise_goes_to_the_log(
    model: EmbeddedModel, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    await ask(model)

    assert capfd.readouterr() == ("", "")
    assert "load_model" in (tmp_path / "model.log").read_text()


async def test_stopped_it_is_gone_and_stays_gone(tmp_path: Path) -> None:
    model = EmbeddedModel(tmp_path / "model.log")
    await model.start()
    pid = model.pid
    assert pid is not None

    await model.stop()
    await model.stop()

    assert model.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("end", ["stdin", "SIGTERM"])
async def test_the_child_ends_with_its_parent(end: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loresmith.embedded.model_server", "--model", str(find_model_file())),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert b"base_url" in await process.stdout.readline()

    process.stdin.close() if end == "stdin" else process.terminate()

    assert await asyncio.wait_for(process.wait(), 2) in (0, -signal.SIGTERM)


async def test_a_file_that_is_no_model_is_refused_with_the_log(tmp_path: Path) -> None:
    file = tmp_path / "my.gguf"
    file.write_text("no model")

    with pytest.raises(EmbeddedModelError, match=r"model\.log"):
        await EmbeddedModel(tmp_path / "model.log", model_file=file).start()

    assert "cannot serve" in (tmp_path / "model.log").read_text()


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedModelError, match=r"'/nowhere/x\.gguf' not found"):
        await EmbeddedModel(tmp_path / "model.log", model_file=Path("/nowhere/x.gguf")).start()


async def test_missing_packages_are_named_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "MODEL_PACKAGE", "not_installed")

    with pytest.raises(EmbeddedModelError, match=r"loresmith\[embedded\].*requirements/model.txt"):
        await EmbeddedModel(tmp_path / "model.log").start()
