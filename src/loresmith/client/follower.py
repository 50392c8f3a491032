"""One job followed to its end: what to do next, whatever came of what was done before. It does no I/O.

listen ──cut after events──► listen again, from the last id
   │ not there, or cut before anything came
   ▼
ask (long poll) ──now and then──► listen again
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from loresmith.client import calls
from loresmith.client.answers import NOT_MODIFIED, Answer, document_of
from loresmith.client.calls import Call
from loresmith.client.errors import (
    ClientError,
    NotFoundError,
    Problem,
    ProblemError,
    ServerUnreachableError,
    UnauthenticatedError,
    UnexpectedAnswerError,
    WaitTimeoutError,
)
from loresmith.client.event_parser import EventParser, ServerEvent
from loresmith.client.knowledge import Knowledge, Update

HOLD_SECONDS: Final = 25.0
"""How long the server is asked to hold an answer back; proxies cut what is silent for 30 s or more."""
SILENT_SECONDS: Final = 25.0
"""A stream without even a heartbeat (one every 10 s) for so long is dead, or held up by a proxy."""
LISTEN_AGAIN_SECONDS: Final = 30.0
FIRST_SECONDS: Final = 5.0
"""How long a server is waited for that has never answered: its address may be wrong."""
LEAST_SECONDS: Final = 1.0
"""Between two questions, where the server holds its answers back."""
_RECONNECT_SECONDS: Final = 1.0
_LONGEST_BACKOFF_SECONDS: Final = 5.0
_NO_STREAM: Final = (404, 405, 406, 501)
_EVENTS: Final = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ask:
    """Make a call, and give its outcome to `answered` or `failed`."""

    call: Call[Answer]


@dataclass(frozen=True, slots=True)
class Listen:
    """Open a stream: give its head to `opened`, its bytes to `heard`, and its end to `hung_up`."""

    call: Call[Answer]
    silent_seconds: float


Step = Pause | Ask | Listen


class Follower:
    """Says step by step how a job is followed. Errors that pass are sat out for `patience_seconds`, others raised."""

    def __init__(
        self,
        job_id: str,
        *,
        listens: bool,
        timeout_seconds: float | None,
        patience_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self.knowledge = Knowledge()
        self._job_id = job_id
        self._clock = clock
        self._timeout_seconds = math.inf if timeout_seconds is None else timeout_seconds
        self._patience_seconds = min(patience_seconds, FIRST_SECONDS)
        self._patience_once_known = patience_seconds
        now = clock()
        self._ends = now + self._timeout_seconds
        self._listens_from = now if listens else math.inf
        self._not_before = now
        self._asked_at = now
        self._fine_at = now
        self._failures = 0
        self._server_holds = True
        self._parser = EventParser()
        self._has_heard = False
        self._is_garbled = False

    def step(self) -> Step | None:
        """Return what to do now, None once the job has ended. Raises WaitTimeoutError."""
        if self.knowledge.is_final:
            return None
        now = self._clock()
        if now >= self._ends:
            raise WaitTimeoutError(self._job_id, seconds=self._timeout_seconds, job=self.knowledge.job)
        if now < self._not_before:
            return Pause(min(self._not_before, self._ends) - now)
        if now >= self._listens_from:
            return self._listen(now)
        return self._ask(now)

    @property
    def may_leave(self) -> bool:
        """Whether an open stream is done with: the job has ended, the time is over, or it makes no sense."""
        return self.knowledge.is_final or self._is_garbled or self._clock() >= self._ends

    def _listen(self, now: float) -> Listen:
        self._parser, self._has_heard, self._is_garbled = EventParser(), False, False
        headers = {"Accept": _EVENTS, "Cache-Control": "no-store"}
        if self.knowledge.seq is not None:
            headers["Last-Event-ID"] = str(self.knowledge.seq)
        path = f"{calls.job_path(self._job_id)}/events"
        call = Call("GET", path, lambda answer: answer, headers=headers)
        return Listen(call, silent_seconds=max(0.05, min(SILENT_SECONDS, self._ends - now)))

    def _ask(self, now: float) -> Ask:
        self._asked_at = now
        seq, held = self.knowledge.seq, max(1, math.floor(min(HOLD_SECONDS, self._ends - now)))
        headers = {} if seq is None else {"If-None-Match": f'W/"{seq}"', "Prefer": f"wait={held}"}
        path = calls.job_path(self._job_id)
        return Ask(Call("GET", path, lambda answer: answer, headers=headers, held_seconds=held if headers else 0.0))

    def answered(self, answer: Answer) -> list[Update]:
        """Take the answer to a question in. Raises what ends the following."""
        updates: list[Update] = []
        if answer.status != NOT_MODIFIED:
            try:
                updates = self.knowledge.take_whole(document_of(answer))
            except UnexpectedAnswerError as error:
                self.failed(error)
                return []
        self._went_well()
        took = self._clock() - self._asked_at
        if answer.status == NOT_MODIFIED:
            self._server_holds = took >= LEAST_SECONDS
        self._not_before = self._asked_at + self._pace(answer)
        return updates

    def _pace(self, answer: Answer) -> float:
        """Return the seconds from one question to the next: as the server wants it, unless it holds answers back."""
        usual = self.knowledge.job.poll_after_ms / 1000 if self.knowledge.job else _RECONNECT_SECONDS
        if self._server_holds:
            return min(LEAST_SECONDS, usual)
        return max(usual, answer.retry_after_seconds or 0.0)

    def failed(self, error: ClientError) -> None:
        """Take in that a question or a stream had no good answer. Raises the error if it will not pass."""
        if not _passes(error):
            raise error
        now = self._clock()
        if now - self._fine_at >= self._patience_seconds:
            raise error
        self._failures += 1
        after = getattr(error, "retry_after_seconds", None)
        backoff = min(_LONGEST_BACKOFF_SECONDS, 0.2 * 2**self._failures) * random.uniform(0.5, 1.0)
        self._not_before = now + (backoff if after is None else max(after, backoff))

    def opened(self, answer: Answer) -> bool:
        """Take the head of a stream in; returns whether its body is one of events."""
        if answer.status == 200 and answer.media_type == _EVENTS:
            return True
        if answer.status == 204:  # the end was told before, which only a question can make sure of now
            self._listens_from = self._clock() + LISTEN_AGAIN_SECONDS
        elif answer.status < 300:
            self._listens_from = math.inf
        return False

    def refused(self, error: ClientError) -> None:
        """Take in that there is no stream to open. Raises the error if that will not pass and is no reason to ask."""
        status = error.problem.status if isinstance(error, ProblemError) else getattr(error, "status", None)
        no_job = isinstance(error, NotFoundError) and error.code == "job_not_found"
        if status in _NO_STREAM and not no_job:
            self._listens_from = math.inf
        else:
            self.failed(error)

    def heard(self, chunk: bytes) -> list[Update]:
        """Take bytes of a stream in. What is no stream of ours is left for questions."""
        self._went_well()
        updates: list[Update] = []
        try:
            for event in self._parser.feed(chunk):
                updates += self._take(event)
        except (ValueError, KeyError, TypeError, msgspec.MsgspecError, UnexpectedAnswerError):
            self._is_garbled = True
        return updates

    def hung_up(self) -> None:
        """Take in that a stream has ended, however it did."""
        now = self._clock()
        if self._has_heard and not self._is_garbled:
            wanted = self._parser.retry_seconds
            self._not_before = now + (_RECONNECT_SECONDS if wanted is None else min(wanted, _LONGEST_BACKOFF_SECONDS))
        else:
            self._listens_from = now + LISTEN_AGAIN_SECONDS

    def _take(self, event: ServerEvent) -> list[Update]:
        self._has_heard = True
        match event.name:
            case "snapshot" | "done":
                return self.knowledge.take_whole(_object(event))
            case "status" | "progress":
                return self.knowledge.take_change(_object(event))
            case "item":
                told = _object(event)
                return self.knowledge.take_item(int(told["index"]), told["value"])
            case "closed":
                self._closed(_object(event).get("reason"))
                return []
            case _:
                return []  # of a later version

    def _closed(self, reason: object) -> None:
        """Take in that the server has closed the stream. Raises UnauthenticatedError if it would refuse a new one."""
        if reason in ("expired", "revoked"):
            raise UnauthenticatedError(Problem(401, "unauthorized", detail=f"the key or token is {reason}"))

    def _went_well(self) -> None:
        self._patience_seconds = self._patience_once_known
        self._fine_at = self._clock()
        self._failures = 0


def _object(event: ServerEvent) -> dict[str, Any]:
    return msgspec.json.decode(event.data, type=dict[str, Any])


def _passes(error: ClientError) -> bool:
    """Tell whether it may be different in a while."""
    if isinstance(error, ProblemError):
        return error.problem.status == 429 or error.problem.status >= 500
    if isinstance(error, UnexpectedAnswerError):
        return error.status is None or error.status == 429 or error.status >= 500 or error.status < 300
    return isinstance(error, ServerUnreachableError)
