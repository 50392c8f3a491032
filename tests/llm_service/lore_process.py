"""A lore service as a process of its own whose limits are shared through Redis, with a window of the test's choice."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from loresmith.bootstrap import connect
from loresmith.llm_service.budgets import Budget, Budgets
from loresmith.llm_service.ledger import Limits
from loresmith.llm_service.limiter import Limiter
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.server import LoreServer
from loresmith.llm_service.shared import SharedLedger, SharedPurse


async def serve(options: argparse.Namespace) -> None:
    """Serves until SIGTERM; prints the port."""
    provider = find_provider("openai-compatible:knight-1", base_url=options.base_url, concurrent_calls=64)
    limits = Limits(options.requests, options.tokens, options.calls)
    async with connect(options.redis) as redis:
        ledger = SharedLedger(redis, provider.name, limits, window_seconds=options.window)
        budgets = Budgets(None, Budget(tokens=options.owner_tokens), SharedPurse(redis))
        route = Route([provider], limiters=[Limiter(provider.name, limits, ledger)], budgets=budgets)
        server = LoreServer(route, queued_reminder_seconds=0.2)
        port = await server.start("127.0.0.1:0")
        sys.stdout.write(f"port {port}\n")
        sys.stdout.flush()
        ending = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
        await ending.wait()
        await server.stop()


def main() -> None:
    """Reads the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--redis", required=True)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--window", type=float, default=60.0)
    parser.add_argument("--requests", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=0)
    parser.add_argument("--calls", type=int, default=0)
    parser.add_argument("--owner-tokens", type=int, default=None)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
