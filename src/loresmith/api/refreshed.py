"""A value from elsewhere that is kept here, renewed beside the requests that use it, and bounded in age."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 1.0


class AwayError(Exception):
    """Something that callers are checked with cannot be had now; try again after `retry_after_seconds`."""

    retry_after_seconds: Final = 2

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: cannot be had now, try again in {self.retry_after_seconds} s")


@dataclass(frozen=True, slots=True)
class Ages:
    """Ages in seconds of a value, from the begin of the load that brought it.

    Beyond `fresh` it is renewed in the background, beyond `due` a request waits for that, and beyond `kept` it is not
    used, even while its source is away. A miss may renew it when it is older than `missed`.
    """

    fresh: float
    due: float
    kept: float
    missed: float = 1.0


class Refreshed(Generic[T]):
    """Gives the value without waiting, as a rule. While its source is away, one request at most waits for it."""

    def __init__(
        self,
        name: str,
        load: Callable[[T | None], Awaitable[T]],
        ages: Ages,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._load, self._ages, self._clock = name, load, ages, clock
        self._value: T | None = None
        self._loaded_at = self._tried_at = float("-inf")
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    async def get(self) -> T:
        """Return the value. Raises AwayError."""
        age = self._clock() - self._loaded_at
        if self._value is not None and age < self._ages.fresh:
            return self._value
        task = self._renewal()
        usable = self._value is not None and age < self._ages.kept
        if task is not None and not (usable and (self._failing or age < self._ages.due)):
            await asyncio.wait({task}, timeout=_PATIENCE_SECONDS)
        return self._usable()

    async def newer(self) -> T:
        """Return the value as it is now, after something was missed in it: loaded anew, but not for every miss."""
        if self._clock() - self._loaded_at >= self._ages.missed and not self._failing:
            task = self._renewal()
            if task is not None:
                await asyncio.wait({task}, timeout=_PATIENCE_SECONDS)
        return self._usable()

    async def close(self) -> None:
        """End a load that is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _usable(self) -> T:
        if self._value is None or self._clock() - self._loaded_at >= self._ages.kept:
            raise AwayError(self._name)
        return self._value

    def _renewal(self) -> "asyncio.Task[None] | None":
        """Return the load that is under way, begun now if need be; None right after one that failed."""
        if self._task is None:
            if self._failing and self._clock() - self._tried_at < _PAUSE_SECONDS:
                return None
            self._task = asyncio.create_task(self._renew(), name=f"renew {self._name}")
        return self._task

    async def _renew(self) -> None:
        began = self._clock()
        try:
            self._value = await self._load(self._value)
            self._loaded_at = began
            if self._failing:
                log.info("can be renewed again", what=self._name)
            self._failing = False
        except Exception as error:
            if not self._failing:  # the text of the error may show what it was about
                log.warning("cannot be renewed now", what=self._name, error=type(error).__name__)
            self._failing = True
        finally:
            self._tried_at = self._clock()
            self._task = None
