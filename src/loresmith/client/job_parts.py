"""Parts of a job that are objects themselves."""

import msgspec


class Eta(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds until the job ends: the estimate and its 80 % interval."""

    seconds: float
    low: float
    high: float


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A service that the job waits for; waits cost no attempt."""

    code: str
    reason: str
    times: int
