"""A process that tells receivers, to be killed: `python -m tests.webhooks.delivering_process REDIS_URL SECRET`.

It trusts the CA of SSL_CERT_FILE, and takes loopback for the public internet. It is put together of the same parts as
in `bootstrap`, whose imports take seconds.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from loresmith.jobs import Follower, InternalJobs, JobManager, JobRegistry, Worker
from loresmith.jobs.connection import Connections
from loresmith.webhooks import GROUP, QUEUE, Courier, Feed, Rules, Sender, Signer, deliver_webhook


async def resolve(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


async def main(url: str, secret: str) -> None:
    connections = Connections(url)
    redis = connections.client()
    feed = Feed(InternalJobs(redis, deliver_webhook, queue=QUEUE))
    manager = JobManager(redis=redis, registry=JobRegistry())
    sender = Sender(resolve=resolve, is_allowed=lambda _: True)
    worker = Worker(
        connections=connections,
        queue=QUEUE,
        registry=JobRegistry().add(deliver_webhook),
        resources={Courier: Courier(manager, Signer([secret]), sender, Rules())},
        lease_seconds=2.0,
    )
    await asyncio.gather(Follower(connections=connections, group=GROUP, follow=feed.follow).run(), worker.run())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
