"""Jobs and lore as text for a terminal of 80 columns, or for a file."""

from __future__ import annotations

import textwrap
from types import TracebackType
from typing import Self, TypeAlias, Union

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

Json: TypeAlias = Union[bool, float, str, "list[Json]", "dict[str, Json]", None]

WIDTH = 80
_HIDDEN = ("name", "description", "details", "type")


class JobView:
    """A progress bar while one is inside, with each item named as it appears; plain lines without a terminal."""

    def __init__(self, title: str) -> None:
        self._console = Console(highlight=False)
        self._plain = not self._console.is_terminal
        self._told: list[str] = []
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=self._plain,
        )
        self._task = self._progress.add_task(title, total=100)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, job: dict[str, Json]) -> None:
        """Show what the job says now."""
        progress, message = float(str(job["progress"])), str(job["message"])
        self._progress.update(self._task, completed=progress, description=message + _left(job))
        if self._plain:
            self._tell(f"{progress:3.0f} %  {message}", key=message)
        for item in _finished(job):
            self._tell(f"       + {_name(item)}", key=_name(item))

    def _tell(self, line: str, *, key: str) -> None:
        if key not in self._told:
            self._told.append(key)
            self._console.print(line, markup=False)


def _left(job: dict[str, Json]) -> str:
    """Say how long it takes, as a range where the estimate is wide."""
    eta = job.get("eta")
    if not isinstance(eta, dict):
        return ""
    low, high = round(float(str(eta["low"]))), round(float(str(eta["high"])))
    return f" · {low} to {high} s left" if high - low > 5 else f" · about {round(float(str(eta['seconds'])))} s left"


def _finished(job: dict[str, Json]) -> list[Json]:
    items = job.get("result") or job.get("items") or []
    return [item for item in items if item] if isinstance(items, list) else []


def _name(item: Json) -> str:
    if not isinstance(item, dict):
        return str(item)
    name = item.get("name", item.get("text"))
    return textwrap.shorten(str(item if name is None else name), WIDTH - 10, placeholder=" ...")


def print_result(result: Json) -> None:
    """Print a world as it is read, or each item of a result under its name, wrapped."""
    if isinstance(result, dict) and "story" in result:
        print("\n" + "\n".join(world_lines(result)))
        return
    for item in result if isinstance(result, list) else [result]:
        print("\n" + "\n".join(item_lines(item)))


def world_lines(world: dict[str, Json]) -> list[str]:
    """A saved world as lines of at most 80 columns: title, story, quest, pieces."""
    title, quest, pieces = str(world["title"]), world["quest"], world["pieces"]
    lines = [title, "=" * min(len(title), WIDTH)]
    for paragraph in str(world["story"]).split("\n\n"):
        lines += [*_wrapped(paragraph, ""), ""]
    if isinstance(quest, dict) and isinstance(stages := quest["stages"], list):
        lines += [f"Quest: {quest['title']}", *_wrapped(str(quest["description"]), "  ")]
        lines += [each for at, stage in enumerate(stages, 1) for each in _wrapped(f"{at}. {stage}", "  ")]
    for piece in pieces if isinstance(pieces, list) else []:
        if isinstance(piece, dict):
            lines += ["", f"{str(piece['type']).capitalize()}: {piece['name']}"]
            lines += _wrapped(str(piece["description"]), "  ")
    warnings = world.get("warnings")
    lines += [f"\nNote: {each}" for each in warnings] if isinstance(warnings, list) else []
    return [*lines, "", f"Saved as world {world['world_id']}"]


def item_lines(item: Json) -> list[str]:
    """A lore piece, or any JSON value, as lines of at most 80 columns."""
    if not isinstance(item, dict):
        return _wrapped(str(item), "")
    lines = [_name(item), "-" * min(len(_name(item)), WIDTH)]
    if item.get("description"):
        lines += _wrapped(str(item["description"]), "")
    details = item.get("details")
    rest = {name: value for name, value in item.items() if name not in _HIDDEN}
    for name, value in {**(details if isinstance(details, dict) else {}), **rest}.items():
        if value is None:
            continue
        lines += _wrapped(f"{name.replace('_', ' ')}: {_value(value)}", "  ")
    return lines


def _value(value: Json) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_value(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_value(inner) for inner in value)
    return str(value)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  " * bool(indent)) or [""]
