"""Latency of POST /jobs and GET /jobs/{id} on a running server, while its model is busy.

    python benchmarks/http/latency.py http://127.0.0.1:8080

Every POST leaves a job behind that the model will work on: use a server whose data you can throw away.
"""

import argparse
import http.client
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

TARGET_P99_MS: Final = 30.0
PAUSE_SECONDS: Final = 0.01
PATIENCE_SECONDS: Final = 10.0
SUBMIT: Final = json.dumps({"type": "generate_characters", "payload": {"theme": "fantasy", "count": 3}}).encode()


@dataclass(slots=True)
class Server:
    """One keep-alive connection."""

    connection: http.client.HTTPConnection

    def submit(self) -> str:
        """Submit a job and return its path."""
        self.connection.request("POST", "/jobs", SUBMIT, {"Content-Type": "application/json"})
        return self._answer(202)["links"]["self"]

    def read(self, path: str) -> dict[str, Any]:
        """Return a job."""
        self.connection.request("GET", path)
        return self._answer(200)

    def _answer(self, expected: int) -> dict[str, Any]:
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != expected:
            raise SystemExit(f"status {answer.status}, expected {expected}: {body.decode()[:300]}")
        return json.loads(body)


def main() -> int:
    """Measure, print the table, and return 1 when a p99 misses its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base_url", help="address of the server, such as http://127.0.0.1:8080")
    parser.add_argument("--posts", type=int, default=100, help="jobs to submit (default 100)")
    parser.add_argument("--gets", type=int, default=1000, help="reads (default 1000)")
    arguments = parser.parse_args()
    server = Server(http.client.HTTPConnection(urlsplit(str(arguments.base_url)).netloc, timeout=30))
    path = running_job(server)
    reads = measure(lambda: server.read(path), arguments.gets)
    posts = measure(server.submit, arguments.posts)
    return report({"POST /jobs": posts, "GET /jobs/{id}": reads}, server.read(path)["state"])


def running_job(server: Server) -> str:
    """Submit a job and return its path once a model works on it, or after a while: earlier jobs keep the model busy."""
    path = server.submit()
    ends = time.monotonic() + PATIENCE_SECONDS
    while server.read(path)["status"] == "pending" and time.monotonic() < ends:
        time.sleep(0.1)
    return path


def measure(call: Callable[[], object], times: int) -> list[float]:
    """Return the milliseconds of each call, sorted; a short pause between calls keeps the server from saturation."""
    found: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        found.append((time.perf_counter() - started) * 1000)
        time.sleep(PAUSE_SECONDS)
    return sorted(found)


def report(measured: dict[str, list[float]], state: str) -> int:
    """Print the table; return 1 when a p99 misses its target."""
    print(f"{'':16}{'n':>7}{'p50':>9}{'p99':>9}{'max':>9}   ms")
    for name, times in measured.items():
        print(f"{name:16}{len(times):7}{share(times, 0.5):9.2f}{share(times, 0.99):9.2f}{times[-1]:9.2f}")
    missed = [name for name, times in measured.items() if share(times, 0.99) >= TARGET_P99_MS]
    print(f"target p99 < {TARGET_P99_MS:.0f} ms: {'missed by ' + ', '.join(missed) if missed else 'met'}; ", end="")
    print(f"the job that was read is now {state}")
    return 1 if missed else 0


def share(times: list[float], part: float) -> float:
    """Return the value below which this part of the sorted times lies."""
    return times[min(len(times) - 1, int(len(times) * part))]


if __name__ == "__main__":
    sys.exit(main())
