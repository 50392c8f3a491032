"""Measures how long `loresmith run` takes until it is ready, with embedded Redis and model (target: 5 s warm)."""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

PORT = 18_571
LOOK_SECONDS = 0.02
LONGEST_SECONDS = 120.0


def main() -> None:
    """Print one line per start, then the median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=5, help="after one that warms the disk cache")
    starts = parser.parse_args().starts
    with tempfile.TemporaryDirectory(prefix="loresmith-start-") as folder:
        seconds = [measure(Path(folder)) for _ in range(starts + 1)]
    for number, (ready, stopped) in enumerate(seconds):
        print(f"start {number}{' (cold)' if number == 0 else ''}: ready {ready:.2f} s, stopped {stopped:.2f} s")
    print(f"warm, median of {starts}: ready {statistics.median(ready for ready, _ in seconds[1:]):.2f} s")


def measure(folder: Path) -> tuple[float, float]:
    """Start and stop once; returns seconds until ready and seconds to stop."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LORESMITH_")}
    started = time.monotonic()
    command = [str(Path(sys.executable).with_name("loresmith")), "run", "--port", str(PORT), "--data-dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=kept) as process:
        try:
            while not is_ready():
                if process.poll() is not None or time.monotonic() - started > LONGEST_SECONDS:
                    sys.exit("loresmith did not become ready")
                time.sleep(LOOK_SECONDS)
            ready = time.monotonic() - started
        finally:
            process.send_signal(signal.SIGTERM)
            asked = time.monotonic()
            process.wait()
    return ready, time.monotonic() - asked


def is_ready() -> bool:
    """Ask once."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=LONGEST_SECONDS) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


if __name__ == "__main__":
    main()
