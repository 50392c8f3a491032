"""Modules with job types: those of a package, of installed distributions, and the files and modules that users name."""

import importlib
import pkgutil
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar, cast

from loresmith.jobs.registry import DEFINED, JobRegistry, JobType

ENTRY_POINT_GROUP: Final = "loresmith.job_types"
_NOT_OF_USERS: Final = ("<", str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"))
"""Beginnings of the names of files whose lines are no place to look for a mistake."""
_MODULE: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_LONGEST_PROBLEM: Final = 400

T = TypeVar("T")


class JobModuleError(Exception):
    """A file or a module gives no job types; the message is one line with the place and what is expected there."""


@dataclass(frozen=True, slots=True)
class JobModule:
    """A file or a module that a user named."""

    name: str
    """What the user wrote."""
    module: str
    path: Path | None
    """The file; None where a module was named."""
    root: Path
    """The directory from which it is imported: a file's own, or that above its outermost package."""

    @classmethod
    def find(cls, name: str) -> "JobModule":
        """Return the module of a name such as `jobs.py` or `package.jobs`. Raises JobModuleError."""
        path = Path(name)
        if path.suffix != ".py" and len(path.parts) == 1:
            if not _MODULE.fullmatch(name):
                raise JobModuleError(
                    f"{name!r} names no jobs: expected a file such as jobs.py, or a module such as app.jobs"
                )
            return cls(name, name, None, Path.cwd())
        if not path.is_file():
            problem = "is no file" if path.exists() else "does not exist"
            raise JobModuleError(f"{name} {problem}: expected a Python file, or a module such as app.jobs")
        path = path.resolve()
        parts, root = [path.stem], path.parent
        while (root / "__init__.py").is_file():
            parts, root = [root.name, *parts], root.parent
        return cls(name, ".".join(parts), path, root)

    def load(self) -> list[JobType]:
        """Import it and return its job types. Raises JobModuleError."""
        if str(self.root) not in sys.path:
            sys.path.insert(0, str(self.root))
        token = DEFINED.set(defined := [])
        try:
            module = _importing(self._import, self.name, self.root)
        finally:
            DEFINED.reset(token)
        found = _job_types_in(module)
        _check_names(found, [kind for kind in defined if kind.handler.__module__ == module.__name__])
        if not found:
            raise JobModuleError(f'{self.name} has no job types: expected an `async def` under @job_type("<name>")')
        return found

    def _import(self) -> ModuleType:
        if self.path is None:
            return importlib.import_module(self.module)
        if (first := self.module.partition(".")[0]) in sys.stdlib_module_names:
            raise JobModuleError(f"{self.name} has the name of Python's own module {first!r}: rename it")
        module = importlib.import_module(self.module)
        if module.__file__ is None or Path(module.__file__).resolve() != self.path:
            raise JobModuleError(f"{self.name} has the name of another module, {module.__file__}: rename it")
        return module


def discover(package: ModuleType | None, names: Iterable[str] = ()) -> JobRegistry:
    """Return the job types of a package's modules, of installed distributions, and of named files and modules.

    A distribution announces a module, or one job type, under the entry point group `loresmith.job_types`.
    Raises JobModuleError.
    """
    registry = JobRegistry()
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.") if package is not None else ():
        registry.add(*_job_types_in(importlib.import_module(module.name)))
    for point in entry_points(group=ENTRY_POINT_GROUP):
        distribution = point.dist.name if point.dist else "a distribution"
        _add(registry, _job_types_in(_importing(point.load, f"{point.value} (of {distribution})", None)))
    for name in names:
        _add(registry, JobModule.find(name).load())
    return registry


def _add(registry: JobRegistry, kinds: Iterable[JobType]) -> None:
    try:
        registry.add(*kinds)
    except ValueError as error:
        raise JobModuleError(str(error)) from None


def _job_types_in(found: object) -> list[JobType]:
    values: list[Any] = [found] if isinstance(found, JobType) else list(vars(found).values())
    return cast("list[JobType]", [value for value in values if isinstance(value, JobType)])


def _check_names(found: Iterable[JobType], defined: Iterable[JobType]) -> None:
    """Raise JobModuleError for two job types of one name; one of them may have lost its place in the module."""
    known: dict[str, JobType] = {}
    for kind in [*defined, *found]:
        if (other := known.setdefault(kind.name, kind)) is not kind:
            raise JobModuleError(
                f"{kind.place}: job type {kind.name!r} is defined at {other.place} already:"
                " give one of them another name"
            )


def _importing(load: Callable[[], T], name: str, root: Path | None) -> T:
    """Import a module. Raises JobModuleError that says in one line where it failed, and how."""
    try:
        return load()
    except JobModuleError:
        raise
    except SyntaxError as error:
        place = f"{_shown(Path(error.filename))}:{error.lineno}" if error.filename and error.lineno else name
        raise JobModuleError(f"{place}: {_one_line(error.msg)}") from None
    except (Exception, SystemExit) as error:
        raise JobModuleError(f"{_place_of(error, root) or name}: {_describe(error)}") from None


def _describe(error: BaseException) -> str:
    match error:
        case ModuleNotFoundError():
            return _one_line(f"cannot import: {error}: install it, or correct its name")
        case ImportError():
            return _one_line(f"cannot import: {error}")
        case SystemExit():
            return 'ends the process when it is imported: put such code under `if __name__ == "__main__"`'
        case TypeError() | ValueError() if _raised_by_us(error):
            return _one_line(str(error))
        case _:
            return _one_line(f"{type(error).__name__}: {error}")


def _raised_by_us(error: BaseException) -> bool:
    return Path(traceback.extract_tb(error.__traceback__)[-1].filename).parent == Path(__file__).parent


def _place_of(error: BaseException, root: Path | None) -> str | None:
    """Return the file and line of the user's own, below `root`, that is nearest to an error."""
    frames = traceback.extract_tb(error.__traceback__) if root is not None else ()
    own = [frame for frame in frames if _is_own(frame.filename, root)]
    return f"{_shown(Path(own[-1].filename))}:{own[-1].lineno}" if own else None


def _is_own(filename: str, root: Path | None) -> bool:
    path = Path(filename)
    is_foreign = filename.startswith(_NOT_OF_USERS) or "site-packages" in path.parts
    return root is not None and path.is_relative_to(root) and not is_foreign


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_PROBLEM else f"{line[:_LONGEST_PROBLEM]}…"
