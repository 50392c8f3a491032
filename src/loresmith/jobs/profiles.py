"""The profiles of past jobs in Redis: read when a job begins that is compared with them, written when one ends."""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog

from loresmith.jobs import keys, lua
from loresmith.jobs.away import is_away
from loresmith.jobs.pace import MOST, Pace
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.profile import FEWEST_JOBS, Profile
from loresmith.jobs.residuals import Residuals
from loresmith.jobs.trace import Trace, decode_traces, encode_trace

log = structlog.get_logger(__name__)

MOST_TRACES: Final = 100
LIFETIME_SECONDS: Final = 30 * 86_400
_FRESH_SECONDS: Final = 20.0
_PATIENCE_SECONDS: Final = 1.0
_MOST_KEPT: Final = 64

Kind = tuple[str, str, int]
"""Job type, model, count: what makes jobs alike."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of jobs of one kind; no profile while there are too few."""

    kind: Kind
    profile: Profile | None = None
    residuals: Residuals | None = None
    pace: float = 1.0


class _Ratio(msgspec.Struct, array_like=True):
    """How much slower than its profile one job was: `[ended at, thousandths of the logarithm]`."""

    ended_ms: int
    log_ratio: int


_decode_ratio: Final = msgspec.json.Decoder(_Ratio).decode
_encode_ratio: Final = msgspec.json.Encoder().encode


class Profiles:
    """Of one worker: what it read is used for 20 s, since building a profile takes some 20 ms."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._kept: dict[Kind, tuple[float, Past]] = {}

    async def past(self, kind: Kind) -> Past:
        """Return what past jobs of a kind teach: nothing, when Redis does not answer at once."""
        found = self._kept.get(kind)
        if found is not None and time.monotonic() - found[0] < _FRESH_SECONDS:
            return found[1]
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                past = await self._read(kind)
        except Exception as error:
            if not (is_away(error) or isinstance(error, TimeoutError)):
                log.exception("profile not read", type=kind[0])
            return found[1] if found is not None else Past(kind)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[kind] = (time.monotonic(), past)
        return past

    async def _read(self, kind: Kind) -> Past:
        ratios = self._pipeline.command("LRANGE", keys.pace(kind[1]), 0, MOST - 1)
        entries = await self._pipeline.command("LRANGE", keys.profile(*kind), 0, MOST_TRACES - 1)
        return await asyncio.to_thread(_learned, kind, entries, await ratios)

    def record(self, past: Past, trace: Trace) -> None:
        """Note a job that completed; what becomes of it is not waited for."""
        entry = encode_trace(trace)
        self._pipeline.script(lua.NOTE, (keys.profile(*past.kind),), (entry, MOST_TRACES, LIFETIME_SECONDS))
        if past.profile is not None and past.profile.seconds > 0:
            ratio = _Ratio(trace.ended_ms, round(1000 * math.log(trace.seconds / past.profile.seconds)))
            self._pipeline.script(lua.NOTE, (keys.pace(past.kind[1]),), (_encode_ratio(ratio), MOST, LIFETIME_SECONDS))


def _learned(kind: Kind, entries: Sequence[bytes], ratios: Sequence[bytes]) -> Past:
    traces = decode_traces(entries)
    if len(traces) < FEWEST_JOBS:
        return Past(kind)
    return Past(kind, Profile(traces), Residuals(traces), Pace(list(_read_ratios(ratios))).factor())


def _read_ratios(entries: Sequence[bytes]) -> Any:
    for entry in entries:
        try:
            yield _decode_ratio(entry).log_ratio / 1000
        except msgspec.DecodeError:
            continue
