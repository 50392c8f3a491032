"""What a client asks for: the body of a submit, checked field by field, and its Idempotency-Key."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar, cast

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.requests import Request

from loresmith.api.access import OwnerLimits
from loresmith.api.deps import access_of, caller_of, headers_of, webhooks_of
from loresmith.api.errors import Problem
from loresmith.api.webhooks import WebhookRequest, Webhooks
from loresmith.jobs import MOST_PROBLEMS, FieldProblem, InvalidPayloadError, Options, Priority, Turns, shown

MOST_METADATA_BYTES: Final = 4 * 1024
MOST_TAGS: Final = 10
MOST_JOBS: Final = 100
_USER_FIELDS: Final = ("user_id", "userId")
_MANY_KEYS: Final = 64
_DAY_SECONDS: Final = 86_400
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")


def _moment(value: object) -> object:
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("expected a time such as 2026-01-31T12:00:00Z")
    return datetime.fromisoformat(value.upper())


def _small(metadata: dict[str, Any]) -> dict[str, Any]:
    if len(orjson.dumps(metadata)) > MOST_METADATA_BYTES:
        raise ValueError(f"expected at most {MOST_METADATA_BYTES:,} bytes of JSON")
    return metadata


def _whole(value: object) -> object:
    """Take 3.0 as 3, as JSON Schema does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Model = TypeVar("Model", bound=BaseModel)
Tag = Annotated[str, Field(min_length=1, max_length=64)]
_Whole = Annotated[int, BeforeValidator(_whole)]
_RunAt = Annotated[datetime, BeforeValidator(_moment)]
_Metadata = Annotated[dict[str, Any], AfterValidator(_small)]


class SubmitRequest(BaseModel):
    """A job to do."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: str = Field(description="one of `GET /job-types`")
    payload: dict[str, Any] = Field(description="what this type of job needs")
    metadata: _Metadata = Field(
        default_factory=dict, description="what the client wants to find on the job again; 4 KB of JSON at most"
    )
    tags: list[Tag] = Field(default_factory=list, max_length=MOST_TAGS, description="words by which jobs are listed")
    priority: Literal["high", "normal", "low"] = Field("normal", description="order of service; low is never starved")
    run_at: _RunAt | None = Field(None, description="not before this time, within 30 days; instead of `delay_seconds`")
    delay_seconds: float | None = Field(None, ge=0, le=30 * _DAY_SECONDS, description="not before so long from now")
    deadline_seconds: float | None = Field(
        None, ge=1, le=_DAY_SECONDS, description="from its first start; may shorten what its type allows"
    )
    max_attempts: _Whole | None = Field(None, ge=1, le=20, description="tries, if its type's are not right")
    webhook: WebhookRequest | None = Field(None, description="whom to tell when it has ended")


class BatchRequest(BaseModel):
    """Jobs of which all are created or none; each is checked by itself."""

    model_config = ConfigDict(extra="forbid", strict=True)

    jobs: list[Any] = Field(min_length=1, max_length=MOST_JOBS)


@dataclass(frozen=True, slots=True)
class Submitter:
    """For whom jobs are submitted; `anybody` may name somebody else as the user of a payload."""

    owner: str
    anybody: bool
    limits: OwnerLimits
    webhooks: Webhooks


def submitter_of(request: Request) -> Submitter:
    """Return for whom a request submits. Where nobody is asked who they are, a `user_id` is any text or number."""
    caller, access = caller_of(request), access_of(request)
    return Submitter(caller.owner, caller.admin or not access.asks, access.limits, webhooks_of(request))


def parse_submission(body: dict[str, Any], by: Submitter) -> tuple[str, object, Options]:
    """Return type, payload and options of a submit.

    Raises InvalidPayloadError that names each wrong field, and Problem when the job would be somebody else's.
    """
    return _checked(_parse(SubmitRequest, body), by, "")


async def parse_batch(body: dict[str, Any], by: Submitter, turns: Turns) -> list[tuple[str, object, Options]]:
    """Do as `parse_submission` for each of a batch, with turns for other requests in between."""
    jobs = _parse(BatchRequest, body).jobs
    found: list[SubmitRequest] = []
    problems: list[FieldProblem] = []
    work = turns.work()
    for place, job in enumerate(jobs):
        if len(orjson.dumps(job)) > by.limits.payload_bytes:
            detail = f"/jobs/{place}: expected a job of at most {by.limits.payload_bytes:,} bytes"
            raise Problem("payload_too_large", detail)
        try:
            found.append(_parse(SubmitRequest, job))
        except InvalidPayloadError as error:
            problems += [replace(one, pointer=f"/jobs/{place}{one.pointer}") for one in error.problems]
            if len(problems) >= MOST_PROBLEMS:
                break
        await work.give()
    if problems:
        raise InvalidPayloadError(problems)
    return [_checked(asked, by, f"/jobs/{place}") for place, asked in enumerate(found)]


def _parse(model: type[Model], body: object) -> Model:
    """Return a body as the model. Raises InvalidPayloadError; one with very many keys is refused by these alone."""
    if isinstance(body, dict) and len(cast("dict[str, Any]", body)) > _MANY_KEYS:
        unknown = [name for name in cast("dict[str, Any]", body) if name not in model.model_fields]
        raise InvalidPayloadError([_unknown(name) for name in unknown[:MOST_PROBLEMS]])
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise wrong_fields(error) from None


def _unknown(name: str) -> FieldProblem:
    return FieldProblem(f"/{_escape(name)}", "extra_forbidden", "Extra inputs are not permitted")


def _checked(asked: SubmitRequest, by: Submitter, pointer: str) -> tuple[str, object, Options]:
    if not by.anybody:
        _check_user(asked.payload, by.owner, pointer)
    if asked.run_at is not None and asked.delay_seconds is not None:
        detail = "expected one of run_at and delay_seconds, not both"
        raise InvalidPayloadError([FieldProblem(f"{pointer}/delay_seconds", "conflict", detail)])
    options = Options(
        owner=by.owner,
        running_limit=by.limits.running_jobs,
        priority=Priority(asked.priority),
        delay_seconds=asked.delay_seconds or 0.0,
        run_at=None if asked.run_at is None else asked.run_at.timestamp(),
        deadline_seconds=asked.deadline_seconds,
        max_attempts=asked.max_attempts,
        metadata=asked.metadata,
        tags=tuple(dict.fromkeys(asked.tags)),
        attached=by.webhooks.attach(asked.webhook, pointer),
    )
    return asked.type, asked.payload, options


def _check_user(payload: dict[str, Any], owner: str, pointer: str) -> None:
    """Raise Problem when a payload names a user other than the caller; what is no name is looked at by its type."""
    for name in _USER_FIELDS:
        value = _whole(payload.get(name))
        if isinstance(value, str | int | float) and str(value) != owner:
            detail = f"expected the caller's own name, {owner!r}"
            raise Problem("forbidden", detail, [FieldProblem(f"{pointer}/payload/{name}", "not_the_caller", detail)])


def wrong_fields(error: ValidationError) -> InvalidPayloadError:
    """Return the error that names each field of a body that pydantic has refused."""
    return InvalidPayloadError(
        [
            FieldProblem(
                shown("".join(f"/{_escape(str(part))}" for part in one["loc"])), one["type"], _sentence(one["msg"])
            )
            for one in error.errors(include_url=False, include_context=False, include_input=False)[:MOST_PROBLEMS]
        ]
    )


def _sentence(message: str) -> str:
    return shown(message.removeprefix("Value error, "))


def _escape(name: str) -> str:
    return shown(name).replace("~", "~0").replace("/", "~1")


def idempotency_key_of(request: Request) -> str | None:
    """Return the Idempotency-Key of a submit, if it has one. Raises Problem for one that cannot be a key."""
    offered = headers_of(request, b"idempotency-key")
    if not offered:
        return None
    if len(offered) > 1:
        raise Problem("bad_request", "Idempotency-Key: expected one value")
    return checked_key(offered[0])


def checked_key(key: str) -> str:
    """Return an idempotency key. Raises Problem for one that cannot be a key."""
    if not _PRINTABLE.fullmatch(key):
        raise Problem("bad_request", "Idempotency-Key: expected one value of 1 to 255 printable ASCII characters")
    return key
