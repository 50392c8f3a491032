"""What the lease keeper takes for a blocked event loop."""

import asyncio

from loresmith.jobs.connection import Connections
from loresmith.jobs.keeper import LeaseKeeper
from loresmith.jobs.keys import QueueKeys


async def test_a_thread_that_waited_for_redis_blames_no_handler() -> None:
    keeper = LeaseKeeper(Connections("redis://127.0.0.1:1"), QueueKeys("default"), {}, consumer="w", lease_seconds=1.0)
    keeper._loop = asyncio.get_running_loop()
    keeper._ask_loop()
    assert keeper._asked_at is not None
    keeper._asked_at -= 10.0  # asked long ago, and not answered: this test has not yielded
    assert keeper._ask_loop() >= 10.0
    await asyncio.sleep(0)
    assert keeper.loop_lag_seconds == 0.0
