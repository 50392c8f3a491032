"""Tells a container's health check whether the process in it lives: exit code 0 or 1, one line why.

It asks `/healthz` where the process listens: on LORESMITH_METRICS_LISTEN, else on LORESMITH_PORT as the API does.
Only the standard library is used, so that it starts in milliseconds.
"""

import http.client
import os
import sys
from collections.abc import Mapping

PATIENCE_SECONDS = 3.0


def main() -> int:
    """Ask once."""
    host, port = address(os.environ)
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        print(f"http://{host}:{port}/healthz does not answer: {error}")
        return 1
    finally:
        connection.close()
    print(f"http://{host}:{port}/healthz answers {status}")
    return 0 if status == 200 else 1


def address(environment: Mapping[str, str]) -> tuple[str, int]:
    """Return host and port to ask, from inside the container."""
    listens = environment.get("LORESMITH_METRICS_LISTEN")
    if not listens:
        listens = f"{environment.get('LORESMITH_HOST') or '127.0.0.1'}:{environment.get('LORESMITH_PORT') or '8080'}"
    host, _, port = listens.rpartition(":")
    host = host.strip("[]")
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), int(port)


if __name__ == "__main__":
    sys.exit(main())
