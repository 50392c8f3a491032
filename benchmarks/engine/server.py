"""A Valkey of the benchmark's own: empty, on a free TCP port, gone afterwards."""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import redis

from loresmith.embedded.redis import find_server


class Server:
    """Runs while inside; `append_only` writes the file that `loresmith run` has too."""

    def __init__(self, *, append_only: bool) -> None:
        self.port = _free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._append_only = append_only
        self._folder = Path()

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="loresmith-bench-"))
        options = {
            "--port": str(self.port),
            "--bind": "127.0.0.1",
            "--dir": str(self._folder),
            "--save": "",
            "--appendonly": "yes" if self._append_only else "no",
            "--appendfsync": "everysec",
        }
        words = [word for option in options.items() for word in option]
        self._process = subprocess.Popen([str(find_server()), *words], stdout=subprocess.DEVNULL)
        self.client: Any = redis.Redis.from_url(self.url)  # pyright: ignore[reportUnknownMemberType]
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def version(self) -> str:
        """Such as `valkey 9.1.2`."""
        facts = self.client.info("server")
        return f"valkey {facts['valkey_version']}" if "valkey_version" in facts else f"redis {facts['redis_version']}"

    def _wait(self) -> None:
        ends = time.monotonic() + 10
        while True:
            try:
                self.client.ping()
            except redis.ConnectionError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.01)
            else:
                return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
