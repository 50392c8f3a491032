"""Job types: what a name accepts, and what runs it."""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, get_args, get_origin, get_type_hints

import pydantic_core
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from typing_extensions import TypeVar

from loresmith.jobs.context import JobContext
from loresmith.jobs.errors import MOST_PROBLEMS, FieldProblem, InvalidPayloadError, UnknownJobTypeError, shown

DEFINED: Final[ContextVar["list[JobType] | None"]] = ContextVar("defined", default=None)
"""Collects the job types that are defined while a module is loaded, those whose name in it is taken again included."""
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

    @property
    def place(self) -> str:
        """The file and the line of its definition, such as `jobs.py:12`."""
        return _place(self.handler)

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
    these, and the last one from then on; else they are those of loresmith.jobs.backoff.

    Raises:
        ValueError: The name is no `[A-Za-z0-9_.-]{1,64}`.
        TypeError: The handler is not async, takes no `JobContext[<pydantic model>]`, or does not say what it returns.
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - `@job_type` without its parentheses
        raise TypeError('job_type needs a name: expected @job_type("<name>")')
    if not _NAME.fullmatch(name):
        raise ValueError(f"job type {name!r} must match {_NAME.pattern}")

    def decorate(handler: Handler[PayloadT, ResultT]) -> JobType[PayloadT, ResultT]:
        payload_model, result, item = _read_annotations(handler)
        kind = JobType(
            name=name,
            description=description or inspect.getdoc(handler) or name,
            payload_model=payload_model,
            handler=handler,
            result=_adapter(result, handler),
            item=None if item is None else _adapter(item, handler),
            expected_seconds=expected_seconds,
            timeout_seconds=timeout_seconds,
            max_attempts=max_attempts,
            max_rescues=max_rescues,
            concurrency=concurrency,
            retry_seconds=retry_seconds,
        )
        if (defined := DEFINED.get()) is not None:
            defined.append(kind)
        return kind

    return decorate


@dataclass(slots=True)
class JobRegistry:
    """The job types that this process knows, by name."""

    _types: dict[str, JobType] = field(default_factory=dict[str, JobType])

    def add(self, *types: JobType) -> "JobRegistry":
        """Register job types. Raises ValueError when a name is taken by another one."""
        for one in types:
            if (other := self._types.get(one.name, one)) is not one:
                raise ValueError(
                    f"job type {one.name!r} is defined twice, at {other.place} and at {one.place}:"
                    " give one of them another name"
                )
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


def _read_annotations(handler: Callable[..., Any]) -> tuple[type[Any], Any, Any]:
    """Return the types of payload, result and item; the last is None for items of any JSON. Raises TypeError."""
    name = getattr(handler, "__qualname__", repr(handler))
    if not inspect.iscoroutinefunction(handler):
        raise TypeError(f"handler {name!r} is not async: expected `async def {name}(...)` with a `return`, no `yield`")
    try:
        hints = get_type_hints(handler, include_extras=True)
    except NameError as error:
        raise TypeError(
            f"handler {name!r} has an annotation with the name {error.name!r}, which is not known when it runs:"
            " import or define it before the handler, outside `if TYPE_CHECKING`"
        ) from None
    if "return" not in hints:
        raise TypeError(
            f"handler {name!r} does not say what it returns: expected an annotation such as `-> list[Item]`"
        )
    result = hints.pop("return")
    context = next(iter(hints.values()), None)
    if get_origin(context) is not JobContext:
        raise TypeError(f"handler {name!r} must take one argument annotated JobContext[<payload model>]")
    payload, *items = get_args(context)
    if not (isinstance(payload, type) and issubclass(payload, BaseModel)):
        raise TypeError(
            f"handler {name!r} has the payload {_shown(payload)}: expected a pydantic model, a subclass of BaseModel"
        )
    if items and items[0] is not Any:
        return payload, result, items[0]
    return payload, result, _element_type(result)


def _adapter(kind: Any, handler: Callable[..., Any]) -> TypeAdapter[Any]:
    """Return the adapter of a type that a handler names. Raises TypeError."""
    try:
        return TypeAdapter(kind)
    except PydanticUserError:
        name = getattr(handler, "__qualname__", repr(handler))
        raise TypeError(
            f"handler {name!r} returns {_shown(kind)}, which cannot be written as JSON:"
            " expected a pydantic model, a dataclass, or a list or dict of such"
        ) from None


def _shown(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))


def _place(handler: Callable[..., Any]) -> str:
    code = getattr(inspect.unwrap(handler), "__code__", None)
    if code is None:
        return repr(handler)
    path = Path(code.co_filename)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{shown}:{code.co_firstlineno}"


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
