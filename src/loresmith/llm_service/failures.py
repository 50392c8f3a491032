"""What went wrong at a provider, told apart: pydantic-ai's exceptions as GenerationErrors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
    UnexpectedModelBehavior,
)

from loresmith.llm.errors import GenerationError
from loresmith.llm_service.retry_after import LONGEST_PAUSE_SECONDS, retry_after

# Messages name the model and a status only: a provider's answer may hold the prompt or half a key.


def _rate_limited(error: ModelAPIError) -> GenerationError:
    return GenerationError(
        "provider_rate_limited",
        f"the provider of {error.model_name!r} asks to slow down",
        retry_after_seconds=error.retry_after,
        began=False,
    )


def _quota(error: ModelAPIError) -> GenerationError:
    message = f"the account at the provider of {error.model_name!r} has no quota left"
    return GenerationError("provider_rate_limited", message, retryable=False)


def _auth(error: ModelAPIError) -> GenerationError:
    message = f"the provider of {error.model_name!r} refused the credentials{_status(error)}"
    return GenerationError("provider_auth", message)


def _context(error: ModelAPIError) -> GenerationError:
    message = f"the prompt does not fit the context of {error.model_name!r}"
    return GenerationError("context_too_long", message)


def _timeout(error: ModelAPIError) -> GenerationError:
    if isinstance(error, ModelTimeoutError) and error.phase in ("connect", "pool", "write"):
        return _unavailable(error)
    return GenerationError("provider_timeout", f"{error.model_name!r} did not answer in time")


def _unavailable(error: ModelAPIError) -> GenerationError:
    return GenerationError(
        "provider_unavailable",
        f"the provider of {error.model_name!r} could not be used{_reason(error)}",
        retry_after_seconds=error.retry_after,
        began=False,
    )


def _not_found(error: ModelAPIError) -> GenerationError:
    message = f"the provider does not know the model {error.model_name!r}"
    return GenerationError("provider_unavailable", message, retryable=False)


def _rejected(error: ModelAPIError) -> GenerationError:
    kind = f"{error.provider_error_code} {error.provider_error_type}"
    if "content_filter" in kind:
        return _refused(error)
    if "exceed_context_size" in kind:  # how llama.cpp says it
        return _context(error)
    message = f"the provider of {error.model_name!r} rejected the request{_status(error)}"
    return GenerationError("provider_unavailable", message, retryable=False)


def _refused(error: ModelAPIError) -> GenerationError:
    message = f"{error.model_name!r} refused to write this"
    return GenerationError("content_refused", message)


def _other(error: ModelAPIError) -> GenerationError:
    if isinstance(error, ModelHTTPError) and error.status_code < 500:
        return _rejected(error)
    return _unavailable(error)


# The first class that fits wins, so a subclass stands before its base.
_TABLE: Final[tuple[tuple[type[ModelAPIError], Callable[[ModelAPIError], GenerationError]], ...]] = (
    (ModelQuotaExceededError, _quota),
    (ModelRateLimitError, _rate_limited),
    (ModelAuthenticationError, _auth),
    (ModelContextWindowExceededError, _context),
    (ModelRequestTimeout, _timeout),
    (ModelTimeoutError, _timeout),
    (ModelConnectionError, _unavailable),
    (ModelUnavailableError, _unavailable),
    (ModelServerError, _unavailable),
    (ModelNotFoundError, _not_found),
    (ModelRequestRejectedError, _rejected),
)


def as_generation_error(
    error: Exception, model: str, *, longest_pause_seconds: float = LONGEST_PAUSE_SECONDS
) -> GenerationError | None:
    """What `error` means to the caller of a generation; None if it is none of the provider's."""
    if isinstance(error, GenerationError):
        return error
    if isinstance(error, ModelAPIError):
        error.retry_after = _wait(error, longest_pause_seconds)
        return next((say for kind, say in _TABLE if isinstance(error, kind)), _other)(error)
    if isinstance(error, ContentFilterError):
        return GenerationError("content_refused", f"{model!r} refused to write this")
    if isinstance(error, UnexpectedModelBehavior):
        message = f"the provider of {model!r} sent what is no answer of a model"
        return GenerationError("provider_unavailable", message)
    return None


def _wait(error: ModelAPIError, longest_seconds: float) -> float | None:
    """How long the provider asks to wait: pydantic-ai reads fewer forms of the header than servers write."""
    if isinstance(error, ModelHTTPError) and error.headers:
        return retry_after(error.headers, longest=longest_seconds)
    return None if error.retry_after is None else min(error.retry_after, longest_seconds)


def _status(error: ModelAPIError) -> str:
    if not isinstance(error, ModelHTTPError):
        return ""
    kind = error.provider_error_type or error.provider_error_code
    return f" (status {error.status_code}{f', {kind}' if kind else ''})"


def _reason(error: ModelAPIError) -> str:
    if isinstance(error, ModelConnectionError):
        reached = error.phase not in ("connect", "pool")
        return ": the connection broke" if reached else ": no connection"
    return _status(error)
