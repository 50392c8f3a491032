"""A process that tells receivers, to be killed: `python -m tests.webhooks.delivering_process REDIS_URL`.

It trusts the CA of SSL_CERT_FILE, and takes loopback for the public internet.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from loresmith.webhooks import Sender
from tests.webhooks.conftest import SECRET
from tests.webhooks.telling import telling


async def resolve(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


async def main(url: str) -> None:
    async with telling(url, Sender(resolve=resolve, is_allowed=lambda _: True), secrets=[SECRET]):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
