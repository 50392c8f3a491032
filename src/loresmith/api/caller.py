"""Who a caller is: whose jobs and worlds they may see and act on."""

import math
from dataclasses import dataclass, field
from typing import Final

from loresmith.jobs import LOCAL_OWNER, owner_digest


@dataclass(frozen=True, slots=True)
class Grant:
    """What the holder of a job's own token may do: read that job, and cancel it if the token says so."""

    job_id: str
    may_cancel: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """An owner, an admin, or the holder of a job's token, who is nobody else."""

    owner: str
    account: str
    """The digest under which requests are counted: the owner's, also for holders of tokens of their jobs."""
    admin: bool = False
    grant: Grant | None = None
    expires_at: float = field(default=math.inf, compare=False)
    """When the key or token opens nothing any more, in seconds since 1970."""

    def lasts_seconds(self, now: float) -> float:
        """Return for how long the key or token is good."""
        return self.expires_at - now

    @property
    def sees(self) -> str | None:
        """Whose jobs and worlds the caller may see and act on; None: everybody's, or the one job of the grant."""
        return None if self.admin or self.grant is not None else self.owner


def caller_named(owner: str, *, admin: bool, expires_at: float = math.inf) -> Caller:
    """Return the caller who is this owner."""
    return Caller(owner, owner_digest(owner), admin, expires_at=expires_at)


LOCAL: Final = caller_named(LOCAL_OWNER, admin=True)
"""Whoever reaches a server that asks nobody who they are."""
