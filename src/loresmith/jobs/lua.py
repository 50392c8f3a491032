"""The Lua scripts of the engine, each a file under `scripts/` with a header that names its keys and arguments."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final


@dataclass(frozen=True, slots=True)
class Script:
    """A script's source and the SHA-1 by which Redis knows it."""

    name: str
    source: str
    sha: str


def _load(name: str) -> Script:
    source = files("loresmith.jobs").joinpath("scripts", f"{name}.lua").read_text(encoding="utf-8")
    return Script(name, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


INTEND: Final = _load("intend")
CREATE: Final = _load("create")
RELEASE: Final = _load("release")
INDEX: Final = _load("index")
CLAIM: Final = _load("claim")
BEGIN: Final = _load("begin")
WRITE: Final = _load("write")
SETTLE: Final = _load("settle")
REQUEUE: Final = _load("requeue")
FORGET: Final = _load("forget")
RENEW: Final = _load("renew")
RESCUE: Final = _load("rescue")
CANCEL: Final = _load("cancel")
READ: Final = _load("read")
BEAT: Final = _load("beat")
CLOCK: Final = _load("clock")
TOUCH: Final = _load("touch")
REMEMBER: Final = _load("remember")
RETIRE: Final = _load("retire")
FOLLOW: Final = _load("follow")
FOLLOWED: Final = _load("followed")
DELETE: Final = _load("delete")
UNSET: Final = _load("unset")
PAGE: Final = _load("page")
PLACES: Final = _load("places")
DEPTH: Final = _load("depth")
NOTE: Final = _load("note")

ALL: Final = (
    INTEND,
    CREATE,
    RELEASE,
    INDEX,
    CLAIM,
    BEGIN,
    WRITE,
    SETTLE,
    REQUEUE,
    FORGET,
    RENEW,
    RESCUE,
    CANCEL,
    READ,
    BEAT,
    CLOCK,
    TOUCH,
    REMEMBER,
    RETIRE,
    FOLLOW,
    FOLLOWED,
    DELETE,
    UNSET,
    PAGE,
    PLACES,
    DEPTH,
    NOTE,
)

SOURCES: Final = {script.sha: script.source for script in ALL}
"""Every script's source by its SHA-1."""
