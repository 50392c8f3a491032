"""Types of results: what `result_type` may be, and how a value of JSON becomes one of it.

A class is read by msgspec: dataclasses, TypedDicts, Structs, and lists and dicts of them. A model of pydantic, alone or
inside of these, is read by pydantic, and so is a `pydantic.TypeAdapter`. Neither library is loaded for it: whoever
has such a class has loaded pydantic.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, Protocol, cast, get_args, get_origin

import msgspec
from typing_extensions import TypeVar

from loresmith.client.errors import FieldProblem, ResultTypeError

T = TypeVar("T", default=Any)
T_co = TypeVar("T_co", covariant=True)

_MOST_NAMED: Final = 3
_PATH: Final = re.compile(r"(?P<what>.*) - at `[^$]*\$(?P<path>[^`]*)`", re.DOTALL)
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


class Adapter(Protocol[T_co]):
    """A `pydantic.TypeAdapter`, or what reads JSON as one does."""

    def validate_json(self, data: bytes, /, *, extra: Literal["ignore"]) -> T_co:
        """Return the value that is written in JSON. Raises ValueError."""
        ...


class TypedJob(Protocol[T_co]):
    """A job type: what `@job_type` of LoreSmith makes of a function."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def result(self) -> Adapter[T_co]:
        """The type of its result."""
        ...

    @property
    def item(self) -> Adapter[Any] | None:
        """The type of its items."""
        ...


@dataclass(frozen=True, slots=True)
class ResultReader(Generic[T]):
    """Reads the result of a job, and each of its items, as the types that a caller expects."""

    name: str
    _result: Callable[[Any], T]
    _item: Callable[[Any], Any]

    def read_result(self, job_id: str, raw: Any) -> T:
        """Return the result of a job. Raises ResultTypeError."""
        return self._read(self._result, f"the result of job {job_id!r}", raw)

    def read_items(self, job_id: str, raw: Iterable[Any]) -> list[Any]:
        """Return items of a job. Raises ResultTypeError."""
        return [self._read(self._item, f"an item of job {job_id!r}", one) for one in raw]

    def _read(self, read: Callable[[Any], Any], what: str, raw: Any) -> Any:
        try:
            return read(raw)
        except ValueError as error:
            problems = _problems(error)
        named = "; ".join(f"{one.pointer or '/'}: {one.detail}" for one in problems[:_MOST_NAMED])
        more = f" (and {len(problems) - _MOST_NAMED} more)" if len(problems) > _MOST_NAMED else ""
        message = f"{what} does not fit {self.name}: {named}{more}; `raw` of this error has it as it came"
        raise ResultTypeError(message, raw=raw, problems=problems)


def _unread(value: Any) -> Any:
    return value


AS_IT_COMES: Final = ResultReader("any type", _unread, _unread)
"""Without a `result_type`: what JSON says."""


def reader_of(job: TypedJob[T] | None, result_type: type[T] | Adapter[T] | None) -> ResultReader[T]:
    """Return the reader of a `result_type`, else of a job type, else one that reads nothing.

    Raises TypeError for a type that no value of JSON can have.
    """
    if result_type is not None:
        return _reader_of_type(result_type)
    if job is None:
        return cast("ResultReader[T]", AS_IT_COMES)
    item = _unread if job.item is None else _by_adapter(job.item)
    return ResultReader(f"the result of {job.name}", _by_adapter(job.result), item)


def _reader_of_type(kind: type[T] | Adapter[T]) -> ResultReader[T]:
    if hasattr(kind, "validate_json"):
        return ResultReader(_name_of(kind), _by_adapter(cast("Adapter[T]", kind)), _unread)
    kind = cast("type[T]", kind)
    elements = get_args(kind)[:1] if _is_list(kind) else ()
    item = _by_msgspec(elements[0]) if elements else _unread
    return ResultReader(_name_of(kind), _by_msgspec(kind), item)


def _is_list(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Sequence | AbstractSet)


def _name_of(kind: Any) -> str:
    inner = getattr(kind, "_type", kind)  # of a TypeAdapter
    return inner.__name__ if isinstance(inner, type) and not get_args(inner) else repr(inner)


def _by_msgspec(kind: type[T]) -> Callable[[Any], T]:
    try:
        decoder = msgspec.json.Decoder(kind, dec_hook=_read_model)
    except TypeError as error:
        raise TypeError(f"result_type {_name_of(kind)} cannot be read: {error}; try a pydantic.TypeAdapter") from None
    return lambda value: decoder.decode(msgspec.json.encode(value))


def _by_adapter(adapter: Adapter[T]) -> Callable[[Any], T]:
    return lambda value: _validated(adapter.validate_json, value)


def _read_model(kind: type[Any], value: Any) -> Any:
    """Read what msgspec does not know: a model of pydantic."""
    if not hasattr(kind, "model_validate_json"):
        raise TypeError(f"no value of JSON is a {kind.__name__}")
    return _validated(kind.model_validate_json, value)


def _validated(validate: Callable[..., T], value: Any) -> T:
    """Read a value with pydantic; a field of a newer server is passed over, whatever the model says."""
    options = {"extra": "ignore"} if "extra" in inspect.signature(validate).parameters else {}  # pydantic 2.12
    return validate(msgspec.json.encode(value), **options)


def _problems(error: ValueError) -> Sequence[FieldProblem]:
    """Return what is wrong in which field, by a JSON pointer into the value."""
    found = _PATH.fullmatch(str(error))
    outer = _pointer(name or place for name, place in _STEP.findall(found["path"])) if found else ""
    inner = error if hasattr(error, "errors") else error.__cause__
    if inner is not None and hasattr(inner, "errors"):
        wrong: list[dict[str, Any]] = cast("Any", inner).errors(include_url=False)
        return [FieldProblem(outer + _pointer(one["loc"]), one["type"], one["msg"]) for one in wrong]
    detail = found["what"] if found else str(error)
    return [FieldProblem(outer, "wrong_type", " ".join(detail.replace("`", "").split()))]


def _pointer(steps: Iterable[Any]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
