"""What both clients do to talk through httpx2: requests from calls, answers from responses, errors as ours."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

import httpx2

from loresmith.client.answers import Answer
from loresmith.client.calls import Call
from loresmith.client.configuration import Configuration
from loresmith.client.errors import ServerUnreachableError, UnexpectedAnswerError

_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


def arguments(configuration: Configuration) -> dict[str, Any]:
    """Return the arguments of httpx2's clients."""
    return {
        "base_url": configuration.base_url,
        "timeout": configuration.timeout,
        "trust_env": configuration.trusts_environment,
        "follow_redirects": False,
    }


def request_of(
    client: httpx2.Client | httpx2.AsyncClient,
    call: Call[Any],
    configuration: Configuration,
    *,
    silent_seconds: float | None = None,
) -> httpx2.Request:
    """Return the request that a call is."""
    return client.build_request(
        call.method,
        call.path,
        params=dict(call.params) or None,
        headers={**configuration.headers, **call.headers},
        content=call.body,
        timeout=configuration.limits(held_seconds=call.held_seconds, silent_seconds=silent_seconds),
    )


def head_of(response: httpx2.Response) -> Answer:
    """Return an answer whose body was not read yet."""
    return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()})


def answer_of(response: httpx2.Response) -> Answer:
    """Return an answer that was read."""
    return Answer(response.status_code, head_of(response).headers, response.content)


@contextlib.contextmanager
def told(configuration: Configuration) -> Generator[None]:
    """Raise what goes wrong on the way as ServerUnreachableError or UnexpectedAnswerError."""
    place = configuration.base_url
    try:
        yield
    except httpx2.TransportError as error:
        was_sent = not isinstance(error, _NEVER_SENT)
        raise ServerUnreachableError(f"no answer from {place!r}: {_reason(error)}", was_sent=was_sent) from error
    except (httpx2.DecodingError, httpx2.InvalidURL) as error:
        raise UnexpectedAnswerError(f"no answer of LoreSmith from {place!r}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "it did not answer in time"
    text = " ".join(str(error).split())
    return text or type(error).__name__
