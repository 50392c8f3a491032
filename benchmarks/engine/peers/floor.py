"""The floor: the least that Redis Streams and redis-py ask for. Nothing is fenced, renewed, retried or validated."""

import asyncio
import itertools
import json
import os
import time

import harness
from redis.asyncio import Redis

STREAM, GROUP, BATCH, TTL = "floor", "workers", 64, 86_400


class Floor(harness.System):
    """XADD; XREADGROUP COUNT 64; one pipeline of SET, XACK and XDEL."""

    async def open(self):
        """Connect."""
        self.redis = Redis.from_url(self.url)
        self.numbers = itertools.count()
        self.waiting = []

    async def submit(self, kind, argument):
        """XADD; those of one turn of the loop share a pipeline."""
        job_id = f"{os.getpid()}-{next(self.numbers)}"
        future = asyncio.get_running_loop().create_future()
        self.waiting.append(((kind, job_id, json.dumps({"n": argument})), future))
        if len(self.waiting) == 1:
            self.task = asyncio.create_task(self._add())
        await future
        return job_id

    async def _add(self):
        await asyncio.sleep(0)
        waiting, self.waiting = self.waiting, []
        pipeline = self.redis.pipeline(transaction=False)
        for (kind, job_id, payload), _ in waiting:
            pipeline.xadd(STREAM, {"k": kind, "i": job_id, "p": payload})
        await pipeline.execute()
        for _, future in waiting:
            future.set_result(None)

    async def result(self, handle):
        """GET."""
        return await self.redis.get(f"result:{handle}")

    def work(self):
        """Run the loop."""
        harness.run_loop(self._work())

    async def _work(self):
        redis = Redis.from_url(self.url, protocol=2)
        await redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        harness.settle_garbage()
        held = []
        while True:
            count = BATCH if self.concurrency <= 1000 and not held else self.concurrency
            block = 1 if held else 2000
            reply = await redis.xreadgroup(GROUP, "w", {STREAM: ">"}, count=count, block=block)
            entries = [entry for stream in reply for entry in stream[1]]
            held += [(entry, fields, time.monotonic()) for entry, fields in entries if fields[b"k"] == b"advance"]
            await self._end(redis, [(entry, fields) for entry, fields in entries if fields[b"k"] != b"advance"])
            if held:
                held = await self._advance(redis, held)

    async def _end(self, redis, entries):
        if not entries:
            return
        pipeline = redis.pipeline(transaction=False)
        for entry, fields in entries:
            argument = json.loads(fields[b"p"])["n"]
            if fields[b"k"] == b"note":
                harness.note_latency(argument)
            pipeline.set(b"result:" + fields[b"i"], json.dumps(argument), ex=TTL)
            pipeline.xack(STREAM, GROUP, entry)
            pipeline.xdel(STREAM, entry)
        await pipeline.execute()

    async def _advance(self, redis, held):
        """Write the progress of all that are held, in one pipeline, then wait for the next tick."""
        now = time.monotonic()
        ended = [one for one in held if now - one[2] >= json.loads(one[1][b"p"])["n"]]
        going = [one for one in held if now - one[2] < json.loads(one[1][b"p"])["n"]]
        pipeline = redis.pipeline(transaction=False)
        for _, fields, since in going:
            document = json.dumps({"id": fields[b"i"].decode(), "progress": int((now - since) * 10)})
            pipeline.set(b"progress:" + fields[b"i"], document, ex=TTL)
        await pipeline.execute()
        await self._end(redis, [one[:2] for one in ended])
        await asyncio.sleep(max(0.0, harness.PROGRESS_SECONDS - (time.monotonic() - now)))
        return going


if __name__ == "__main__":
    harness.main(Floor)
