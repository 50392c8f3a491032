"""Job types: what a name accepts, what runs it, and where they are found."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import pydantic_core
from pydantic import BaseModel, TypeAdapter, ValidationError

from loresmith.jobs.context import JobContext
from loresmith.jobs.errors import FieldProblem, InvalidPayloadError, UnknownJobTypeError

ENTRY_POINT_GROUP: Final = "loresmith.job_types"
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")

Payload = TypeVar("Payload", bound=BaseModel)
Handler = Callable[[JobContext[Payload]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class JobType:
    """One kind of job: its name, its payload, its handler and its limits."""

    name: str
    description: str
    payload_model: type[BaseModel]
    handler: Callable[[JobContext[Any]], Awaitable[Any]]
    result: TypeAdapter[Any]
    item_model: type[BaseModel] | None = None
    expected_seconds: float = 30.0
    timeout_seconds: float = 600.0
    max_attempts: int = 3
    max_rescues: int = 3
    concurrency: int = 0
    retry_seconds: tuple[float, ...] = ()

    def validate(self, payload: object) -> BaseModel:
        """Return a JSON value as the payload's model. Raises InvalidPayloadError that names each wrong field."""
        return self.validate_json(pydantic_core.to_json(payload))

    def validate_json(self, payload: bytes) -> BaseModel:
        """Do as `validate` with JSON text; strict: a number in a string is no number, but 3.0 is 3."""
        try:
            return self.payload_model.model_validate_json(payload, strict=True)
        except ValidationError as error:
            if (mended := _with_whole_numbers(payload, error)) is not None:
                return self.validate_json(mended)
            raise InvalidPayloadError(_problems(error)) from None


def job_type(
    name: str,
    *,
    description: str = "",
    item: type[BaseModel] | None = None,
    expected_seconds: float = 30.0,
    timeout_seconds: float = 600.0,
    max_attempts: int = 3,
    max_rescues: int = 3,
    concurrency: int = 0,
    retry_seconds: tuple[float, ...] = (),
) -> Callable[[Handler[Payload]], JobType]:
    """Make a handler `async def (ctx: JobContext[Payload]) -> Result` a job type.

    The payload model and the type of the result are read from the annotations. `expected_seconds` drives the
    simulated progress, `timeout_seconds` counts from the first start, `max_attempts` counts failures and
    `max_rescues` deaths of workers. With a `concurrency`, no more than so many jobs of this type are with the workers
    at once, over all workers; the others wait as pending. With `retry_seconds`, the waits between its attempts are
    these, and the last one from then on; else they grow from 2 s to a minute. Raises ValueError for a name that is no
    `[A-Za-z0-9_.-]{1,64}`.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"job type {name!r} must match {_NAME.pattern}")

    def decorate(handler: Handler[Payload]) -> JobType:
        payload_model, result = _annotations(handler)
        return JobType(
            name=name,
            description=description or inspect.getdoc(handler) or name,
            payload_model=payload_model,
            handler=handler,
            result=TypeAdapter(result),
            item_model=item,
            expected_seconds=expected_seconds,
            timeout_seconds=timeout_seconds,
            max_attempts=max_attempts,
            max_rescues=max_rescues,
            concurrency=concurrency,
            retry_seconds=retry_seconds,
        )

    return decorate


@dataclass(slots=True)
class JobRegistry:
    """The job types that this process knows, by name."""

    _types: dict[str, JobType] = field(default_factory=dict[str, JobType])

    def add(self, *types: JobType) -> "JobRegistry":
        """Register job types. Raises ValueError when a name is taken by another one."""
        for one in types:
            if self._types.get(one.name, one) is not one:
                raise ValueError(f"job type {one.name!r} is defined twice")
            self._types[one.name] = one
        return self

    def get(self, name: str) -> JobType:
        """Return the job type of this name. Raises UnknownJobTypeError."""
        try:
            return self._types[name]
        except KeyError:
            raise UnknownJobTypeError(name, known=sorted(self._types)) from None

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def __iter__(self) -> Iterator[JobType]:
        return iter(sorted(self._types.values(), key=lambda one: one.name))


def discover(package: ModuleType) -> JobRegistry:
    """Return the job types in the modules of a package and those that installed distributions announce.

    Another distribution announces a module, or one job type, under the entry point group `loresmith.job_types`.
    """
    registry = JobRegistry()
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        registry.add(*_job_types_of(importlib.import_module(module.name)))
    for point in entry_points(group=ENTRY_POINT_GROUP):
        registry.add(*_job_types_of(point.load()))
    return registry


def _job_types_of(found: object) -> Iterable[JobType]:
    if isinstance(found, JobType):
        return (found,)
    return [value for value in vars(found).values() if isinstance(value, JobType)]


def _annotations(handler: Callable[..., Any]) -> tuple[type[BaseModel], Any]:
    hints = get_type_hints(handler)
    result = hints.pop("return", Any)
    context = next(iter(hints.values()), None)
    if get_origin(context) is not JobContext:
        raise TypeError(
            f"handler {handler.__qualname__!r} must take one argument annotated JobContext[<payload model>]"
        )
    return get_args(context)[0], result


def _with_whole_numbers(payload: bytes, error: ValidationError) -> bytes | None:
    """Return a payload with integers for whole numbers that were written as 3.0; None where there were none."""
    value, mended = pydantic_core.from_json(payload), False
    for problem in error.errors(include_url=False, include_context=False):
        number = problem["input"]
        if problem["type"] == "int_type" and isinstance(number, float) and number.is_integer():
            mended = _put(value, problem["loc"], int(number)) or mended
    return pydantic_core.to_json(value) if mended else None


def _put(value: Any, loc: tuple[int | str, ...], number: int) -> bool:
    """Replace what is at a place; the place of a problem may name a branch of a union, which is none in the value."""
    try:
        for part in loc[:-1]:
            value = value[part]
        if value[loc[-1]] != number:
            return False
        value[loc[-1]] = number
    except (LookupError, TypeError):
        return False
    return True


def _problems(error: ValidationError) -> list[FieldProblem]:
    return [
        FieldProblem(
            pointer="/".join(["/payload", *(_escape(part) for part in problem["loc"])]),
            code=problem["type"],
            detail=problem["msg"],
        )
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _escape(part: int | str) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
