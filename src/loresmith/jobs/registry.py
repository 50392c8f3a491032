"""Job types: what a name accepts, what runs it, and where they are found."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Final, Generic, cast, get_args, get_origin, get_type_hints

import pydantic_core
from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import TypeVar

from loresmith.jobs.context import JobContext
from loresmith.jobs.errors import MOST_PROBLEMS, FieldProblem, InvalidPayloadError, UnknownJobTypeError, shown

ENTRY_POINT_GROUP: Final = "loresmith.job_types"
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")

PayloadT = TypeVar("PayloadT", bound=BaseModel, default=Any)
ResultT = TypeVar("ResultT", default=Any)
Handler = Callable[[JobContext[PayloadT, Any]], Awaitable[ResultT]]


@dataclass(frozen=True, slots=True)
class JobType(Generic[PayloadT, ResultT]):
    """A job type: its name, its payload, its handler and its limits. A call of it calls the handler."""

    name: str
    description: str
    payload_model: type[PayloadT]
    handler: Handler[PayloadT, ResultT]
    result: TypeAdapter[ResultT]
    item: TypeAdapter[Any] | None = None
    """The type of its items: that of the context, or else the elements of a list that the handler returns."""
    expected_seconds: float = 30.0
    timeout_seconds: float = 600.0
    max_attempts: int = 3
    max_rescues: int = 3
    concurrency: int = 0
    retry_seconds: tuple[float, ...] = ()

    def __call__(self, ctx: JobContext[PayloadT, Any]) -> Awaitable[ResultT]:
        return self.handler(ctx)

    def validate(self, payload: object) -> PayloadT:
        """Return a JSON value as the payload's model. Raises InvalidPayloadError that names each wrong field."""
        return self.validate_json(pydantic_core.to_json(payload))

    def validate_json(self, payload: bytes) -> PayloadT:
        """Do as `validate` with JSON text; strict: a number in a string is no number, but 3.0 is 3."""
        try:
            return self.payload_model.model_validate_json(payload, strict=True)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_context=False)
        if (mended := _with_whole_numbers(payload, wrong)) is not None:
            return self.validate_json(mended)
        raise InvalidPayloadError(_problems(wrong))


def job_type(
    name: str,
    *,
    description: str = "",
    expected_seconds: float = 30.0,
    timeout_seconds: float = 600.0,
    max_attempts: int = 3,
    max_rescues: int = 3,
    concurrency: int = 0,
    retry_seconds: tuple[float, ...] = (),
) -> Callable[[Handler[PayloadT, ResultT]], JobType[PayloadT, ResultT]]:
    """Make a handler `async def (ctx: JobContext[Payload]) -> Result` a job type.

    The payload model, the type of the result and that of the items are read from the annotations: the items of
    `JobContext[Payload, Item]` are `Item`, those of a handler that returns `list[Item]` too. `expected_seconds` drives
    the simulated progress, `timeout_seconds` counts from the first start, `max_attempts` counts failures and
    `max_rescues` deaths of workers. With a `concurrency`, no more than so many jobs of this type are with the workers
    at once, over all workers; the others wait as pending. With `retry_seconds`, the waits between its attempts are
    these, and the last one from then on; else they are those of loresmith.jobs.backoff. Raises ValueError for a name
    that is no `[A-Za-z0-9_.-]{1,64}`.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"job type {name!r} must match {_NAME.pattern}")

    def decorate(handler: Handler[PayloadT, ResultT]) -> JobType[PayloadT, ResultT]:
        payload_model, result, item = _read_annotations(handler)
        return JobType(
            name=name,
            description=description or inspect.getdoc(handler) or name,
            payload_model=payload_model,
            handler=handler,
            result=TypeAdapter(result),
            item=None if item is None else TypeAdapter(item),
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


def _job_types_of(found: object) -> "Iterable[JobType]":
    values: list[Any] = [found] if isinstance(found, JobType) else list(vars(found).values())
    return cast("list[JobType]", [value for value in values if isinstance(value, JobType)])


def _read_annotations(handler: Callable[..., Any]) -> tuple[type[Any], Any, Any]:
    """Return the types of payload, result and item; the last is None for items of any JSON."""
    hints = get_type_hints(handler, include_extras=True)
    result = hints.pop("return", Any)
    context = next(iter(hints.values()), None)
    if get_origin(context) is not JobContext:
        raise TypeError(
            f"handler {handler.__qualname__!r} must take one argument annotated JobContext[<payload model>]"
        )
    payload, *items = get_args(context)
    if items and items[0] is not Any:
        return payload, result, items[0]
    return payload, result, _element_type(result)


def _element_type(result: Any) -> type[BaseModel] | None:
    """Return the model of a list's elements, None for any other type."""
    element = next(iter(get_args(result)), None) if get_origin(result) is list else None
    return element if isinstance(element, type) and issubclass(element, BaseModel) else None


def _with_whole_numbers(payload: bytes, wrong: Sequence[pydantic_core.ErrorDetails]) -> bytes | None:
    """Return a payload with integers for whole numbers that were written as 3.0; None where there were none."""
    value, mended = pydantic_core.from_json(payload), False
    for problem in wrong:
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


def _problems(wrong: Sequence[pydantic_core.ErrorDetails]) -> list[FieldProblem]:
    return [
        FieldProblem(
            pointer=shown("/".join(["/payload", *(_escape(part) for part in problem["loc"])])),
            code=problem["type"],
            detail=shown(problem["msg"]),
        )
        for problem in wrong[:MOST_PROBLEMS]
    ]


def _escape(part: int | str) -> str:
    return shown(str(part)).replace("~", "~0").replace("/", "~1")
