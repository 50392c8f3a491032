"""The health check of the image asks the process in it, and says what it found."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from deploy.healthcheck import address
from tests.deploy.compose import ROOT
from tests.e2e.conftest import free_port


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, ("127.0.0.1", 8080)),
        ({"LORESMITH_HOST": "0.0.0.0", "LORESMITH_PORT": "80"}, ("127.0.0.1", 80)),
        ({"LORESMITH_HOST": "::"}, ("::1", 8080)),
        ({"LORESMITH_HOST": "10.0.0.7"}, ("10.0.0.7", 8080)),
        ({"LORESMITH_METRICS_LISTEN": "0.0.0.0:9464", "LORESMITH_PORT": "80"}, ("127.0.0.1", 9464)),
        ({"LORESMITH_METRICS_LISTEN": "[::]:9464"}, ("::1", 9464)),
    ],
)
def test_it_asks_where_the_process_listens(environment: dict[str, str], asked: tuple[str, int]) -> None:
    assert address(environment) == asked


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_process_that_answers_is_well_and_one_that_does_not_is_not(port: int) -> None:
    assert _check(port) == (0, f"http://127.0.0.1:{port}/healthz answers 200\n")
    gone = free_port()
    code, said = _check(gone)
    assert (code, said.startswith(f"http://127.0.0.1:{gone}/healthz does not answer: ")) == (1, True)


def _check(port: int) -> tuple[int, str]:
    script = [sys.executable, str(ROOT / "deploy" / "healthcheck.py")]
    done = subprocess.run(script, env={"LORESMITH_PORT": str(port)}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout
