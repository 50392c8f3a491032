"""For people who test their own job types: runs a handler without Redis, and a registry of one's own.

    trial = await try_job(generate_quests, {"theme": "fantasy"}, resources={LoreModel: ScriptedLoreModel(script)})
    assert trial.result[0]["name"] == "The Lost Crown"

Payloads are validated, results serialised and items checkpointed as in a worker; only Redis is left out.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pydantic_core

from loresmith.jobs.claim import Begun, Claim
from loresmith.jobs.context import JobContext
from loresmith.jobs.errors import JobError
from loresmith.jobs.outcomes import Classify, Failed, Unavailable
from loresmith.jobs.registry import JobType
from loresmith.jobs.run import Run
from loresmith.jobs.store import Written
from loresmith.jobs.submission import Options, prepare
from loresmith.jobs.types import State, Usage

__all__ = ["Trial", "try_job"]


@dataclass(slots=True)
class Trial:
    """What one attempt did. `result` is a JSON value, None when `error` says why there is none."""

    result: Any = None
    error: JobError | Failed | None = None
    items: dict[int, Any] = field(default_factory=dict[int, Any])
    steps: dict[str, Any] = field(default_factory=dict[str, Any])
    progress: list[int] = field(default_factory=list[int])
    messages: list[str] = field(default_factory=list[str])
    usage: Usage | None = None
    course: list[int] = field(default_factory=list[int])
    """Part, mark and the milliseconds since the one before, for each checkpoint reached."""


class _TrialRun(Run):
    """A run whose writes go nowhere but into the trial."""

    __slots__ = ("trial",)

    trial: Trial

    def report(self, fraction: float | None, message: str | None) -> None:
        super().report(fraction, message)
        self._note()

    def finalize(self, message: str) -> None:
        super().finalize(message)
        self._note()

    def _note(self) -> None:
        if self.trial.progress[-1:] != [self.job.progress]:
            self.trial.progress.append(self.job.progress)
        if self.trial.messages[-1:] != [self.job.message]:
            self.trial.messages.append(self.job.message)


class _Nowhere:
    """Takes every write."""

    def write(self, *_: object, **__: object) -> asyncio.Future[int]:
        """Say that it was written."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        future.set_result(Written.DONE)
        return future


async def try_job(
    kind: JobType,
    payload: object,
    *,
    resources: Mapping[type, object] | None = None,
    items: Mapping[int, Any] | None = None,
    steps: Mapping[str, Any] | None = None,
    attempt: int = 1,
    job_id: str | None = None,
    classify: Classify = lambda _: None,
) -> Trial:
    """Run one attempt of a job type's handler and return what it did.

    `items` and `steps` are those of an earlier attempt. `classify` is that of `Worker`: the failure that an error of
    the handler stands for, such as `loresmith.bootstrap.classify` for those of models and databases. Raises
    InvalidPayloadError as a submit would, and any error of the handler that is neither a JobError nor classified.
    """
    new = prepare(kind, payload, Options())
    new.job.move(State.RUNNING)
    new.job.attempt = attempt
    new.job.id = job_id or new.job.id
    earlier = {**{str(index): value for index, value in (items or {}).items()}, **(steps or {})}
    saved = {name: msgspec.Raw(pydantic_core.to_json(value)) for name, value in earlier.items()}
    begun = Begun(new.job, new.submitted, attempt, "", taken_over=False, cancel_asked=False, checkpoint=saved)
    nowhere: Any = _Nowhere()
    run = _TrialRun(
        nowhere, Claim("n", "0-1", new.job.id), begun, expected_seconds=kind.expected_seconds, wake=lambda _: None
    )
    run.deadline = time.monotonic() + kind.timeout_seconds
    run.trial = trial = Trial()
    context: JobContext[Any] = JobContext(run, kind.validate(payload), resources or {}, kind.item)
    try:
        trial.result = msgspec.json.decode(kind.result.dump_json(await kind.handler(context)))
    except JobError as error:
        trial.error = error
    except Exception as error:
        outcome = classify(error)
        if outcome is None:
            raise
        trial.error = outcome.failed if isinstance(outcome, Unavailable) else outcome
    trial.items = {index: pydantic_core.to_jsonable_python(value) for index, value in context.items.items()}
    trial.steps = {name: msgspec.json.decode(value) for name, value in run.checkpoint.items() if not name.isdigit()}
    trial.usage, trial.course = run.job.usage, run.course
    return trial
