"""When a call is made again, and after how long: only what is safe, and as the server asks."""

from __future__ import annotations

from typing import Any, Final

from tenacity import RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from loresmith.client.calls import Again, Call
from loresmith.client.errors import ClientError, ProblemError, ServerUnreachableError, UnexpectedAnswerError

LONGEST_WAIT_SECONDS: Final = 30.0
"""A server that asks for more patience than this is not waited for: the error tells when to come back."""
_REFUSED_FOR_NOW: Final = ("rate_limited", "too_many_active_jobs", "queue_full")
"""Nothing was done; after `store_unavailable` something may have been."""
_FAULTS_OF_PROXIES: Final = (502, 503, 504)

_usual_wait: Final = wait_exponential_jitter(multiplier=0.2, max=5.0, jitter=0.2)


def options(call: Call[Any], *, retries: int) -> dict[str, Any]:
    """Return the arguments of tenacity's Retrying, or AsyncRetrying, for a call."""
    enough = stop_after_attempt(retries + 1)

    def stop(state: RetryCallState) -> bool:
        return enough(state) or _asked_wait(state) > LONGEST_WAIT_SECONDS

    return {
        "retry": retry_if_exception(lambda error: may_repeat(call, error)),
        "wait": _wait,
        "stop": stop,
        "reraise": True,
    }


def may_repeat(call: Call[Any], error: BaseException) -> bool:
    """Tell whether a call that ended so may be made once more, and whether there is hope in it."""
    always = call.again is Again.ALWAYS
    match error:
        case ServerUnreachableError():
            return always or not error.was_sent
        case ProblemError():
            problem = error.problem
            return problem.code in _REFUSED_FOR_NOW or (always and (problem.retryable or problem.status == 429))
        case UnexpectedAnswerError():
            return always and error.status in _FAULTS_OF_PROXIES
        case _:
            return False


def _wait(state: RetryCallState) -> float:
    return max(_asked_wait(state), _usual_wait(state))


def _asked_wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, ClientError):
        return 0.0
    return getattr(error, "retry_after_seconds", None) or 0.0
