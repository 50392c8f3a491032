"""Attacks on terminals: what an owner, a model or a server wrote is shown by commands and logs, and never obeyed."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer
import typer.main
from hypothesis import given
from hypothesis import strategies as st

from loresmith.cli.app import build_app, run_command
from loresmith.cli.remote import complete_fields, complete_jobs, complete_types
from loresmith.telemetry import configure_logging
from loresmith.telemetry.escaping import escaped, escaped_json

JOB = "00000000-0000-0000-0000-000000000001"
TAGS = "".join(chr(0xE0000 + ord(letter)) for letter in "evil")
EVIL = (
    "a\x1b[7777mred\x1b]0;title\x07\x1b]8;;http://evil.example\x1b\\link\x1b]52;c;cm0=\x07\x9b31m\x9d0;x\x9c\x7f\x08\x0b"
    "\u202eback\u2066\u2069\u200e\u200f\u061c\u2028\u2029\u200b\u2060\ufeff\u00ad\u180e\ufe01"
    + TAGS
    + "[red]x[/red][link=http://evil.example]y[/link]:skull:\r\nforged line\tz"
)
"""Escape sequences for colour, title, links and clipboard, each kind of character that hides or turns text, markup."""
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\U000e0000-\U000e0fff]"
)
BAR = re.compile(r"\x1b\[(?:\?25[lh]|[0-9;]{0,12}m|[0-9]{0,2}[AK])|\r")
"""What rich writes for a progress bar and its colours."""

MOMENT = "2026-11-24T12:00:00Z"


def job_document(status: str) -> dict[str, Any]:
    failed = status == "failed"
    return {
        "id": EVIL,
        "type": EVIL,
        "status": status,
        "state": EVIL,
        "done": status in ("completed", "failed"),
        "seq": 3,
        "progress": 100,
        "message": EVIL,
        "created_at": MOMENT,
        "result": None
        if failed
        else [EVIL, {"name": EVIL, "description": EVIL, "details": {EVIL: [EVIL, {EVIL: EVIL}]}}],
        "items": [{"name": EVIL}, EVIL, [EVIL]],
        "error": EVIL if failed else None,
        "error_detail": {"code": EVIL, "message": EVIL} if failed else None,
        "attempt": 1,
        "max_attempts": 3,
        "usage": {"model": EVIL, "input_tokens": 1, "output_tokens": 1},
        "retry_of": EVIL,
        "metadata": {EVIL: EVIL},
        "tags": [EVIL],
        "payload": {EVIL: EVIL},
        "owner": EVIL,
    }


WORLD: dict[str, Any] = {
    "id": EVIL,
    "title": EVIL,
    "theme": EVIL,
    "created_at": MOMENT,
    "user_id": EVIL,
    "story": f"{EVIL}\n\n{EVIL}",
    "quest": {"title": EVIL, "description": EVIL, "stages": [EVIL]},
    "pieces": [{"type": EVIL, "name": EVIL, "description": EVIL, "details": {EVIL: EVIL}}],
    "warnings": [EVIL],
}
FIELD = {"type": "string", "description": EVIL, "default": EVIL, "minLength": EVIL}
TYPES = [
    {"name": name, "description": EVIL, "payload_schema": {"properties": {EVIL: FIELD, "theme": FIELD}}}
    for name in ("play", EVIL)
]
STATS = {
    "queues": [{"name": EVIL, "paused": True}],
    "workers": [{"id": EVIL, "host": EVIL}],
    "types": {EVIL: {"completed": 1}},
}
TRY = {"at": MOMENT, "outcome": EVIL, "status": 500, "seconds": 1.0}
HOOKS = {
    "webhook": {"url": EVIL, "events": [EVIL]},
    "data": [{"id": EVIL, "event": EVIL, "state": EVIL, "error": EVIL, "next_try_at": MOMENT, "tries": [TRY]}],
}
PROBLEM = {"type": EVIL, "title": EVIL, "status": 422, "detail": EVIL, "code": EVIL}
REFUSAL = {**PROBLEM, "request_id": EVIL, "errors": [{"pointer": EVIL, "code": EVIL, "detail": EVIL}]}


class Hostile(BaseHTTPRequestHandler):
    """A server all of whose texts are hostile; `/refusing` before a path refuses with hostile words."""

    ends = "completed"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class names it
        pass

    def _answer(self) -> None:
        path = self.path.split("?")[0]
        if path.startswith("/refusing") or (path.startswith("/broken") and "jobs" in path):
            content = "application/problem+json" if path.startswith("/refusing") else "text/html"
            self._send(422, json.dumps(REFUSAL).encode() if "refusing" in path else EVIL.encode(), content)
        elif path.endswith("/events"):
            document = job_document(self.ends)
            data = json.dumps(document).encode()
            events = b"id: 3\nevent: %b\ndata: %b\n\n"
            self._send(200, events % (b"snapshot", data) + events % (b"done", data), "text/event-stream")
        else:
            self._send(200, json.dumps(self._document(path)).encode(), "application/json")

    def _document(self, path: str) -> Any:
        if path.endswith("/webhooks"):
            return HOOKS
        if path == "/jobs" and self.command == "GET":
            return {"data": [job_document("failed"), job_document("completed")], "next_cursor": None}
        if path.startswith("/jobs"):
            return job_document(self.ends)
        single = WORLD if path.startswith("/worlds/") else {"data": [WORLD], "next_cursor": None}
        known = {"/job-types": {"data": TYPES}, "/stats": STATS, "/healthz": {"version": EVIL}}
        return known.get(path, single if path.startswith("/worlds") else {})

    def _send(self, status: int, body: bytes, content: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def hostile() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LORESMITH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LORESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LORESMITH_MODEL", "fake")
    monkeypatch.chdir(tmp_path)


@dataclass(frozen=True)
class Line:
    """A command line; `asks` whether it asks the server, and has --json."""

    words: Sequence[str]
    asks: bool = True


COMMANDS: dict[str, Line] = {
    "submit": Line(["submit", "play", f"theme={EVIL.replace(chr(0), '')}"]),
    "watch": Line(["watch", JOB]),
    "show": Line(["show", JOB, "--payload"]),
    "list": Line(["list", "--tag", EVIL]),
    "cancel": Line(["cancel", JOB, EVIL]),
    "retry": Line(["retry", JOB]),
    "delete": Line(["delete", EVIL]),
    "webhooks": Line(["webhooks", JOB]),
    "types": Line(["types", "play"]),
    "stats": Line(["stats"]),
    "pause": Line(["pause", EVIL]),
    "resume": Line(["resume", EVIL]),
    "worlds": Line(["worlds"]),
    "worlds show": Line(["worlds", "show", EVIL]),
    "worlds delete": Line(["worlds", "delete", EVIL]),
    "doctor": Line(["doctor"]),
    "keys create": Line(["keys", "create", EVIL], asks=False),
    "keys list": Line(["keys", "list"], asks=False),
    "keys revoke": Line(["keys", "revoke", EVIL], asks=False),
    "migrate": Line(["migrate"], asks=False),
    "new": Line(["new", EVIL], asks=False),
}
MORE = {
    "types of all": Line(["types"]),
    "unknown type": Line(["types", EVIL + "?"]),
    "unknown field": Line(["submit", "play", f"{EVIL}?=1"]),
    "no file": Line(["submit", "play", f"theme=@{EVIL}"]),
    "unknown command": Line([EVIL], asks=False),
    "unknown option": Line(["list", f"--{EVIL}"], asks=False),
    "submit and watch": Line(["submit", "play", "theme=x", "--watch"]),
    "retry and watch": Line(["retry", JOB, "--watch"]),
}
LONG_LIVED = {"run", "dev", "demo", "serve", "worker", "lore"}
"""They serve: what they write are their own settings and the log, which has a test of its own."""


def all_commands(group: Any, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if getattr(command, "commands", None):
            yield from all_commands(command, f"{before}{name} ")
            if not command.invoke_without_command:
                continue
        yield before + name


def test_every_command_is_attacked() -> None:
    assert set(all_commands(typer.main.get_command(build_app()))) - LONG_LIVED == set(COMMANDS)


@pytest.mark.parametrize(
    ("name", "place", "ends"),
    [
        (name, place, ends)
        for name, line in {**COMMANDS, **MORE}.items()
        for place, ends in [("", "completed"), ("", "failed"), ("/refusing", "completed"), ("/broken", "completed")]
        if (line.asks and name != "doctor") or (place, ends) == ("", "completed")
    ],
)
def test_no_command_writes_what_a_terminal_obeys(
    name: str,
    place: str,
    ends: str,
    hostile: str,
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = {**COMMANDS, **MORE}[name]
    monkeypatch.setenv("LORESMITH_URL", hostile + place)
    monkeypatch.setattr(Hostile, "ends", ends)
    for more in ([], ["--json"]) if line.asks else ([],):
        run_command([*line.words, *more])
        captured = capfdbinary.readouterr()
        written = (captured.out + captured.err).decode()
        assert written
        assert OBEYED.findall(written) == []
        if more and captured.out:
            documents = (
                captured.out.decode().splitlines() if "watch" in line.words or "--watch" in line.words else [written]
            )
            assert all(json.loads(one) is not None for one in documents if captured.err == b"")


def test_json_has_the_same_value(
    hostile: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORESMITH_URL", hostile)
    run_command(["show", JOB, "--json"])
    assert json.loads(capfd.readouterr().out) == job_document("completed")
    run_command(["worlds", "show", JOB, "--json"])
    assert json.loads(capfd.readouterr().out) == WORLD


def test_a_progress_bar_on_a_terminal_shows_hostile_text_as_text(
    hostile: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORESMITH_URL", hostile)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    run_command(["watch", JOB])
    written = capfd.readouterr().out
    assert "\x1b[" in written, "rich takes this for a terminal"
    assert "7777m" not in BAR.sub(lambda match: match[0] if "7777" in match[0] else "", written).replace(
        r"\x1b[7777m", ""
    )
    assert OBEYED.findall(BAR.sub("", written)) == []
    assert "[red]x[/red][link=http://evil.example]y[/link]:skull:" in written


def test_completion_offers_only_plain_words(hostile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_URL", hostile)
    assert list(complete_types("")) == ["play"]
    assert list(complete_jobs("")) == []
    context = typer.Context(typer.main.get_command(build_app()))
    context.params["job_type"] = "play"
    assert list(complete_fields(context, "")) == ["theme="]


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_logs_write_nothing_that_a_terminal_obeys(log_format: Any, capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", log_format)
    log = structlog.get_logger()
    log.info(EVIL, text=EVIL, items=[EVIL], facts={EVIL: EVIL}, **{EVIL: 1})
    logging.getLogger("elsewhere").warning("of %s", EVIL)
    try:
        raise ValueError(EVIL)
    except ValueError as error:
        log.exception("failed", error=error)
        logging.getLogger("elsewhere").exception(EVIL)
        log.warning("failed", stack_info=True)
    written = capfd.readouterr().err
    assert written.count("7777mred") >= 7
    assert OBEYED.findall(written) == []
    assert "\r" not in written
    assert not [line for line in written.splitlines() if line.startswith("forged line")] or log_format == "console"
    if log_format == "json":
        assert all(json.loads(line) for line in written.splitlines())


@given(st.text(st.one_of(st.characters(), st.sampled_from(EVIL)), max_size=60))
def test_what_is_escaped_is_obeyed_by_no_terminal(text: str) -> None:
    shown = escaped(text)
    assert OBEYED.findall(shown) == []
    assert not set("\r\n\t\x1b\x07").intersection(shown)
    assert escaped(shown) == shown


@given(
    st.recursive(
        st.text(st.one_of(st.characters(), st.sampled_from(EVIL))),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_escaped_json_has_the_same_value_and_nothing_that_is_obeyed(value: Any) -> None:
    document = escaped_json(json.dumps(value, ensure_ascii=False, indent=1))
    assert json.loads(document) == value
    assert OBEYED.findall(document) == []


@pytest.mark.parametrize("text", ["\u0645\u06cc\u200c\u062e\u0648", "Kaél", "龍", "❤\ufe0f", "👨\u200d👩"], ids=ascii)
def test_words_of_all_scripts_are_shown_as_they_are(text: str) -> None:
    assert escaped(text) == text
