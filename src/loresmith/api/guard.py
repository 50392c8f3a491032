"""Who comes in: the credential of a request, what its holder may do here, and how often."""

from collections.abc import Awaitable
from typing import Any, Final, Protocol

from starlette.requests import Request

from loresmith.api.access_tokens import AccessTokens, RefusedError
from loresmith.api.api_keys import ApiKeys
from loresmith.api.caller import LOCAL, Caller, Grant
from loresmith.api.errors import Problem, unauthorized
from loresmith.api.job_tokens import PREFIX as JOB_TOKEN
from loresmith.api.job_tokens import JobTokens
from loresmith.api.rate import RateLimiter, Verdict
from loresmith.db import looks_like_key
from loresmith.jobs import JobNotFoundError

READ: Final = frozenset({"read_job", "follow_job"})
"""Operations that a job's token opens, and that take it as `?token=` too: EventSource cannot send a header."""
CANCEL: Final = "cancel_job"
_AUTHORIZATION: Final = b"authorization"


class Guard(Protocol):
    """Lets a request in, or raises Problem, or AwayError when it cannot tell."""

    async def enter(self, request: Request, operation: str) -> None:
        """Note in the state of the request who calls (`caller`) and what is left of the quota (`rate`)."""
        ...

    async def identify(self, request: Request, operation: str) -> Caller:
        """Return who calls, as their credential stands now; counts and notes nothing."""
        ...

    def charge(self, request: Request, cost: int, *, done: bool = False) -> None:
        """Count a request that was let in as so many, all in all. Raises Problem beyond the quota, unless `done`."""
        ...


class OpenGuard:
    """Asks nobody who they are: whoever comes is the local owner."""

    def __init__(self, limiter: RateLimiter | None = None) -> None:
        self._limiter = limiter

    async def enter(self, request: Request, operation: str) -> None:  # noqa: ARG002 - as Guard says
        """See Guard."""
        request.scope["state"]["caller"] = LOCAL
        if self._limiter is not None:
            count(request, LOCAL, self._limiter)

    async def identify(self, request: Request, operation: str) -> Caller:  # noqa: ARG002 - as Guard says
        """See Guard."""
        return LOCAL

    def charge(self, request: Request, cost: int, *, done: bool = False) -> None:
        """See Guard."""
        if self._limiter is not None:
            count(request, LOCAL, self._limiter, cost, done=done)


class KeyGuard:
    """Asks for an API key, an access token, or the token of a job."""

    def __init__(
        self,
        job_tokens: JobTokens,
        *,
        keys: ApiKeys | None = None,
        access_tokens: AccessTokens | None = None,
        limiter: RateLimiter | None = None,
    ) -> None:
        self._job_tokens, self._keys, self._access_tokens, self._limiter = job_tokens, keys, access_tokens, limiter

    async def enter(self, request: Request, operation: str) -> None:
        """See Guard."""
        caller = await self.identify(request, operation)
        request.scope["state"]["caller"] = caller
        if self._limiter is not None:
            count(request, caller, self._limiter)
        if caller.grant is not None:
            _check(caller.grant, request, operation)

    async def identify(self, request: Request, operation: str) -> Caller:
        """See Guard."""
        presented = _presented(request)
        if presented is None and operation in READ:
            presented = _in_query(request)
        if presented is None:
            raise unauthorized("expected Authorization: Bearer with an API key or a token", error="")
        return await self._holder(presented)

    def charge(self, request: Request, cost: int, *, done: bool = False) -> None:
        """See Guard."""
        if self._limiter is not None:
            count(request, request.scope["state"]["caller"], self._limiter, cost, done=done)

    async def _holder(self, presented: str) -> Caller:
        if presented.startswith(JOB_TOKEN):
            return await _known(self._job_tokens.caller(presented))
        if self._keys is not None and looks_like_key(presented):
            return await _known(self._keys.caller(presented))
        if self._access_tokens is None:
            raise _refused()
        try:
            return await self._access_tokens.caller(presented)
        except RefusedError as error:
            raise _refused(str(error)) from None


def count(request: Request, caller: Caller, limiter: RateLimiter, cost: int = 1, *, done: bool = False) -> None:
    """Count a request of a caller as so many plain ones, all in all. Raises Problem beyond the quota."""
    state = request.scope["state"]
    counted = state.get("cost", 0)
    if cost <= counted:
        return
    state["cost"] = cost
    verdict = limiter.spend(caller.account, cost - counted, done=done)
    state["rate"] = _headers(limiter, verdict)
    if not verdict.allowed:
        quota, seconds = limiter.quota, verdict.retry_after_seconds
        bounds = f"expected at most {quota.per_minute} requests a minute and {quota.burst} at once"
        worth = f", this one counts as {cost}" if cost > 1 else ""
        raise Problem("rate_limited", f"{bounds}{worth}: wait {seconds} s", headers={"Retry-After": str(seconds)})


def _headers(limiter: RateLimiter, verdict: Verdict) -> list[tuple[bytes, bytes]]:
    """Return the fields of draft-ietf-httpapi-ratelimit-headers-10."""
    left = b'"owner";r=%d;t=%d' % (verdict.remaining, verdict.reset_seconds)
    return [(b"ratelimit-policy", limiter.policy), (b"ratelimit", left)]


def _check(grant: Grant, request: Request, operation: str) -> None:
    """Let the holder of a job's token do what it says with this job; to them no other one exists."""
    job_id: Any = request.scope.get("path_params", {}).get("job_id")
    if job_id is not None and job_id != grant.job_id:
        raise JobNotFoundError(job_id)
    if job_id is None or not (operation in READ or (operation == CANCEL and grant.may_cancel)):
        may = "read and cancel" if grant.may_cancel else "read"
        raise Problem("forbidden", f"this token is for one job, to {may} it")


def _presented(request: Request) -> str | None:
    """Return the one bearer token (RFC 6750) of the headers."""
    offered = [value for name, value in request.scope["headers"] if name == _AUTHORIZATION]
    if not offered:
        return None
    scheme, _, rest = offered[0].decode("latin-1").partition(" ")
    if len(offered) > 1 or scheme.lower() != "bearer" or not rest.strip():
        raise unauthorized("expected one Authorization: Bearer with an API key or a token", error="invalid_request")
    return rest.strip()


def _in_query(request: Request) -> str | None:
    """Return the job's token in the query; a key has no place in an address, which many a log keeps."""
    if not request.scope["query_string"]:
        return None
    offered = request.query_params.getlist("token")
    if len(offered) > 1 or any(not one.startswith(JOB_TOKEN) for one in offered):
        raise _refused("expected the token of a job as token=, once; other keys go into Authorization")
    return offered[0] if offered else None


async def _known(caller: Awaitable[Caller | None]) -> Caller:
    found = await caller
    if found is None:
        raise _refused()
    return found


def _refused(detail: str = "the key or token is unknown, has expired or was revoked") -> Problem:
    return unauthorized(detail)
