"""What a call of the language model can end with.

GenerationError is the end of a generation, by its code:
    provider_rate_limited   retryable       429; the provider may say how long to wait
    provider_unavailable    retryable       5xx, no connection, or the lore service is away
    provider_timeout                        the model gave no output for too long
    provider_auth                           the provider refused our key
    content_refused                         the model or its filter refused the request
    output_invalid                          still breaks its schema after one repair
    context_too_long                        prompt and output do not fit the model
    budget_exceeded                         the job, or its owner's day, has used up its budget
LoreProtocolError is a bug on one side of the port.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

ErrorCode = Literal[
    "provider_rate_limited",
    "provider_unavailable",
    "provider_timeout",
    "provider_auth",
    "content_refused",
    "output_invalid",
    "context_too_long",
    "budget_exceeded",
]

ERROR_CODES: Final[frozenset[ErrorCode]] = frozenset(get_args(ErrorCode))
RETRYABLE_CODES: Final[frozenset[ErrorCode]] = frozenset({"provider_rate_limited", "provider_unavailable"})


class GenerationError(Exception):
    """A generation that gave no valid output, in words that a person understands.

    `retryable` says whether the same request may succeed later; it follows the table above unless
    told otherwise. `retry_after_seconds` is the provider's own wish, None if it had none. `began` is False where
    no model has read or written anything: waiting for it costs nothing.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        retryable: bool | None = None,
        retry_after_seconds: float | None = None,
        began: bool = True,
    ) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
        self.retryable = code in RETRYABLE_CODES if retryable is None else retryable
        self.retry_after_seconds = retry_after_seconds
        self.began = began

    def __repr__(self) -> str:
        return f"GenerationError({self.code!r}, {self.message!r}, retryable={self.retryable})"


class LoreProtocolError(RuntimeError):
    """The lore service and its client do not understand each other: a bug, never to be retried."""
