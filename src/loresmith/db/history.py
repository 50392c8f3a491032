"""The history of ended jobs: one row each, kept after Redis forgot them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

import structlog
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql, sqlite

from loresmith.db.database import Database
from loresmith.db.tables import HistoryRow

log = structlog.get_logger(__name__)

_UNSTORABLE: Final = (exc.DataError, exc.IntegrityError, OverflowError, ValueError)
"""What a database says of a value that no later try will make it take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastJob:
    """A job that ended. Times are aware; `cost_usd` is None where no price is known."""

    job_id: str
    root_job_id: str
    type: str
    owner: str
    state: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime
    attempts: int
    rescues: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    model: str | None
    error_code: str | None


class History:
    """Records ended jobs; any number of processes may, also the same job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, jobs: Sequence[PastJob]) -> None:
        """Write a row for each job, in one transaction. Raises StorageUnavailableError: record them again then.

        A job that the database cannot store is logged and left out: else those beside it would wait for ever.
        """
        # In one order, or two processes that write the same rows wait for each other.
        rows = sorted(jobs, key=lambda job: job.job_id)
        try:
            await self._write(rows)
        except _UNSTORABLE as error:
            if len(rows) == 1:
                log.exception("a job cannot be stored in the history", job_id=rows[0].job_id, exc_info=error)
                return
            for row in rows:
                await self.record([row])

    async def _write(self, jobs: Sequence[PastJob]) -> None:
        if not jobs:
            return
        async with self._database.writing() as session:
            await session.execute(self._upsert, [asdict(job) for job in jobs])

    @cached_property
    def _upsert(self) -> postgresql.Insert | sqlite.Insert:
        insert = self._database.insert(HistoryRow)
        changed = {name: value for name, value in insert.excluded.items() if name != "job_id"}
        return insert.on_conflict_do_update(index_elements=["job_id"], set_=changed)
