"""Jobs and lore as text for a terminal of 80 columns, or for a file."""

from __future__ import annotations

import json
import textwrap
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias, Union

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from loresmith.cli.outlook import outlook
from loresmith.cli.terminal import say
from loresmith.telemetry.escaping import escaped

if TYPE_CHECKING:
    from loresmith.client import Job, Update

Json: TypeAlias = Union[bool, float, str, "list[Json]", "dict[str, Json]", None]

WIDTH = 80
_STEP = 20
"""Percent after which a line is written where there is no terminal to draw a bar on."""
_HIDDEN = ("name", "description", "details", "type")


class JobView:
    """A progress bar while one is inside, with each item named as it appears; plain lines without a terminal."""

    def __init__(self, title: str) -> None:
        self._console = Console(highlight=False)
        self._plain = not self._console.is_terminal
        self._told = ("", 0)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[eta]}", markup=False),
            console=self._console,
            disable=self._plain,
        )
        self._task = self._progress.add_task(escaped(title), total=100, eta="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, update: Update) -> None:
        """Show what the job says now, and which items are new."""
        job, left = update.job, outlook(update.job, datetime.now(UTC))
        self._progress.update(self._task, completed=job.progress, description=escaped(job.message), eta=left)
        if self._plain and (job.message != self._told[0] or job.progress >= self._told[1] + _STEP):
            self._told = job.message, job.progress
            self._tell(f"{job.progress:3.0f} %  {job.message}" + (f"  ({left})" if left else ""))
        for item in update.new_items:
            self._tell(f"       + {name_of(item)}")

    def _tell(self, line: str) -> None:
        self._console.print(escaped(line), markup=False, emoji=False, soft_wrap=True)


def name_of(item: Json) -> str:
    """What an item is called, on a line."""
    if not isinstance(item, dict):
        return str(item)
    name = item.get("name", item.get("text"))
    return textwrap.shorten(str(item if name is None else name), WIDTH - 10, placeholder=" ...")


def print_result(result: Json) -> None:
    """Print a world as it is read, or each item of a result under its name, wrapped."""
    if isinstance(result, dict) and "story" in result:
        say("", *world_lines(result))
        return
    for item in result if isinstance(result, list) else [result]:
        say("", *item_lines(item))


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
    lines += [line for each in warnings for line in ("", f"Note: {each}")] if isinstance(warnings, list) else []
    return [*lines, "", f"Saved as world {world['world_id']}"]


def item_lines(item: Json) -> list[str]:
    """A lore piece, or any JSON value, as lines of at most 80 columns."""
    if not isinstance(item, dict):
        return _wrapped(str(item), "")
    lines = [name_of(item), "-" * min(len(name_of(item)), WIDTH)]
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


def job_lines(job: Job) -> list[str]:
    """A job as lines of at most 80 columns: how it stands, not what it has made."""
    now = datetime.now(UTC)
    facts = {
        "job": job.id,
        "type": job.type,
        "state": f"{job.state}, {job.progress} %" + (f", {left}" if (left := outlook(job, now)) else ""),
        "message": job.message,
        "error": f"{job.error} ({job.error_detail.code})" if job.error and job.error_detail else job.error,
        "attempt": f"{job.attempt} of {job.max_attempts}" if job.attempt else None,
        "retry of": job.retry_of,
        "created": _moment(job.created_at),
        "started": _moment(job.started_at),
        "ended": _moment(job.completed_at),
        "kept until": _moment(job.expires_at),
        "tags": ", ".join(job.tags),
        "model": _spent(job),
        "payload": None if job.payload is None else json.dumps(job.payload, ensure_ascii=False),
    }
    return [line for name, value in facts.items() if value for line in _fact(name, value)]


def _fact(name: str, value: str) -> list[str]:
    return textwrap.wrap(f"{name:<11}{value}", WIDTH, subsequent_indent=" " * 11, break_on_hyphens=False)


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else None


def _spent(job: Job) -> str | None:
    if job.usage is None:
        return None
    cost = "" if job.usage.cost_usd is None else f", ${job.usage.cost_usd:.4f}"
    tokens = f"{job.usage.input_tokens} tokens read, {job.usage.output_tokens} written{cost}"
    return f"{job.usage.model}: {tokens}" if job.usage.model else tokens
