"""Generates the rights that LoreSmith needs in Redis, in docs/scaling.md (`make gen`); `--check` fails on a difference.

Commands and keys are found in the sources: in scripts for Redis, and in the Python modules that speak to it.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import redis  # noqa: TID251 - its names of commands

from scripts.page import ROOT, between, refresh

PAGE = ROOT / "docs" / "scaling.md"
_SOURCES = ROOT / "src" / "loresmith"
_SPEAKING = ("api/shared.py", "jobs/*.py", "llm_service/shared.py", "redis_server.py")
_PARTED = ("XINFO", "XGROUP")
"""Commands whose first argument is a command of its own."""
_COMMANDS = {name.upper() for name in dir(redis.Redis) if not name.startswith("_")}
_KNOWN = _COMMANDS - {"CLOSE", "DELETE", "PIPELINE"} | {"DEL", *_PARTED}
_METHODS = {"SCAN_ITER": "SCAN", "SCRIPT_LOAD": "SCRIPT|LOAD", "PUBSUB": "SUBSCRIBE", "DELETE": "DEL"}
_RECEIVERS = {"redis", "_redis", "client", "reader"}
_CONNECTING = {"AUTH", "HELLO", "PING", "SELECT", "SUBSCRIBE", "UNSUBSCRIBE"}
"""What redis-py sends by itself."""
_OF_CLUSTERS = {"CLUSTER|SLOTS", "COMMAND", "READONLY"}
"""Likewise, to the nodes of a Cluster."""
_KEY = re.compile(r"(\{?[a-z-]+:)")
_BEGIN, _END = "<!-- begin of the rights -->\n", "<!-- end of the rights -->"


def main() -> int:
    """Writes the line, or compares it with what is there."""
    drift = "the rights in Redis are not what the code needs"
    return refresh(PAGE, filled, purpose=__doc__, drift=drift)


def filled(text: str) -> str:
    """Return the page with the line of today."""
    return between(_BEGIN, f"```\n{rights()}\n```\n", _END, text=text)


def rights() -> str:
    """Return the command that makes a user who may do what LoreSmith needs, and no more."""
    allowed = " ".join(f"+{name.lower()}" for name in sorted({*commands(), *_CONNECTING, *_OF_CLUSTERS}))
    patterns = " ".join(f"~{pattern}" for pattern in sorted({*keys()}))
    channels = "&job-cancels &job-events:*"
    return f"ACL SETUSER loresmith reset on >secret -@all {allowed} {patterns} resetchannels {channels}"


def commands() -> Iterator[str]:
    """Yield each command that a script or a module sends."""
    for path in sorted(_SOURCES.glob("*/scripts/*.lua")):
        code = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
        for name, part in re.findall(r"'([A-Z]+)'(?:, '([A-Z]+)')?", code):
            if name in _KNOWN:
                yield f"{name}|{part}" if name in _PARTED else name
    for tree in _modules():
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(name)) if name in _KNOWN:
                    yield name
                case ast.Call(
                    func=ast.Attribute(attr=method, value=ast.Attribute(attr=receiver) | ast.Name(id=receiver))
                ):
                    if receiver in _RECEIVERS and method.upper() in {*_KNOWN, *_METHODS}:
                        yield _METHODS.get(method.upper(), method.upper())
                case _:
                    pass


def keys() -> Iterator[str]:
    """Yield a pattern for each kind of key: texts that begin like one, and `workers`, which is one."""
    yield "workers"
    for tree in _modules():
        inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            text = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
            if text is node and id(node) in inside:
                continue
            if isinstance(text, ast.Constant) and isinstance(text.value, str) and (begin := _begin(text.value, node)):
                yield f"{begin}*"


def _begin(text: str, node: ast.AST) -> str | None:
    """Return the beginning that all keys of a kind share, None for a text that is no key."""
    found = _KEY.match(text)
    if found is None or found[1] in ("job-events:", "type:"):
        return None
    whole = re.fullmatch(r"\{?[a-z-]+:[a-z{}:-]*", text) and (isinstance(node, ast.JoinedStr) or text != found[1])
    return found[1] if whole else None


def _modules() -> Iterator[ast.Module]:
    for path in (path for pattern in _SPEAKING for path in sorted(Path(_SOURCES).glob(pattern))):
        yield ast.parse(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
