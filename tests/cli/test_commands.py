"""Every command that asks a server: what it prints, with and without --json, and the codes that it ends with."""

from __future__ import annotations

import asyncio
import signal
import sys
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx2
import orjson
import pytest

from loresmith.cli.remote import complete_fields, complete_jobs, complete_types
from loresmith.db import NewWorld, Quest, Worlds
from loresmith.jobs import LOCAL_OWNER, Worker
from tests.api.conftest import job_of, submitted
from tests.cli.conftest import Command
from tests.waiting import wait_until

Cue = Callable[[str], asyncio.Event]
NOBODY = str(uuid.uuid4())


async def test_submit_and_watch_show_a_job_to_its_result(server: str, command: Command, worker: Worker) -> None:
    ran = await command("submit", "write_verses", "about=rain", "count=2", "--watch")
    assert (ran.code, ran.err) == (0, "")
    assert "       + rain 0\n" in ran.out
    assert "100 %" in ran.out
    assert ran.out.endswith("  text: rain 0\n\nrain 1\n------\n  text: rain 1\n")
    assert max(map(len, ran.out.splitlines())) <= 80


async def test_submit_says_how_to_follow_the_job(server: str, command: Command, remote: httpx2.AsyncClient) -> None:
    ran = await command("submit", "write_verses", "about=rain", "--tag", "wet", "--priority", "high", "--delay", "60")
    assert ran.code == 0
    job_id = ran.out.split()[0]
    assert ran.out.endswith(f"loresmith watch {job_id}\n")
    job = await job_of(remote, job_id)
    assert (job["tags"], job["priority"], job["state"]) == (["wet"], "high", "scheduled")


async def test_a_key_makes_two_submits_one_job(server: str, command: Command) -> None:
    words = ("submit", "write_verses", "about=rain", "--key", "k", "--json")
    assert (await command(*words)).json["id"] == (await command(*words)).json["id"]


async def test_json_of_a_watched_job_is_a_line_for_each_change(server: str, command: Command, worker: Worker) -> None:
    ran = await command("submit", "write_verses", "about=rain", "--watch", "--json")
    jobs = [orjson.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0
    assert jobs[-1]["result"] == [{"text": "rain 0"}, {"text": "rain 1"}]
    assert [job["seq"] for job in jobs] == sorted(job["seq"] for job in jobs)
    again = await command("watch", jobs[-1]["id"], "--json")
    assert orjson.loads(again.out.splitlines()[-1]) == jobs[-1]


async def test_a_failed_job_is_exit_code_1_and_can_be_retried(server: str, command: Command, worker: Worker) -> None:
    ran = await command("submit", "play", 'steps=["item:0","refuse"]', "-w")
    assert ran.code == 1
    assert ran.err.startswith("loresmith: job ")
    assert ran.err.count("\n") == 1
    failed = ran.err.split()[2]
    assert ran.err.endswith(f"failed: refused; try again: loresmith retry {failed}\n")
    shown = await command("show", failed, "--payload")
    assert "error      refused (content_refused)" in shown.out
    assert '"steps": ["item:0", "refuse"]' in shown.out
    assert "text: 0" in shown.out, "what it has made is shown, too"
    again = await command("retry", failed, "--watch")
    assert again.code == 1
    other = (await command("retry", failed, "--json")).json
    assert other["retry_of"] == failed


async def test_list_filters_and_counts(server: str, command: Command, remote: httpx2.AsyncClient) -> None:
    ids = [await submitted(remote, tags=["a"]) for _ in range(3)]
    ids.append(await submitted(remote, tags=["b"]))
    listed = await command("list")
    lines = listed.out.splitlines()
    assert [line.split()[0] for line in lines] == ["JOB", *reversed(ids)]
    assert max(map(len, lines)) <= 80
    assert {job["id"] for job in (await command("list", "--tag", "a", "--json")).json} == set(ids[:3])
    assert len((await command("list", "--limit", "2", "--json")).json) == 2
    assert (await command("list", "--state", "running")).out == "no jobs\n"
    assert (await command("list", "--since", "2999-01-01")).out == "no jobs\n"
    wrong = await command("list", "--state", "sleepy")
    assert wrong.code == 2
    assert "expected one of queued" in wrong.err


async def test_cancel_and_delete_take_several_jobs(server: str, command: Command, remote: httpx2.AsyncClient) -> None:
    ids = [await submitted(remote) for _ in range(2)]
    refused = await command("delete", ids[0])
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "has not ended" in refused.err
    assert (await command("cancel", *ids)).out == f"{ids[0]}  cancelled\n{ids[1]}  cancelled\n"
    assert [job["state"] for job in (await command("cancel", *ids, "--json")).json] == ["cancelled"] * 2
    assert (await command("delete", ids[0])).out == f"{ids[0]}  deleted\n"
    assert (await command("delete", ids[1], "--json")).json == {"deleted": [ids[1]]}
    assert (await command("show", ids[0])).code == 3


async def test_types_lists_them_and_their_fields(server: str, command: Command) -> None:
    listed = await command("types")
    assert "write_verses" in listed.out
    assert max(map(len, listed.out.splitlines())) <= 80
    fields = await command("types", "write_verses")
    assert [line.split()[:3] for line in fields.out.splitlines()[3:5]] == [
        ["about", "string", "(needed)"],
        ["count", "integer", "2"],
    ]
    assert (await command("types", "play", "--json")).json["name"] == "play"
    assert len((await command("types", "--json")).json) >= 8


async def test_stats_pause_and_resume(server: str, command: Command, worker: Worker) -> None:
    await command("submit", "write_verses", "about=rain", "-w")
    assert (await command("pause")).out == "queue 'default' is paused: loresmith resume default\n"
    shown = await command("stats")
    assert "default (paused)" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    assert (await command("resume", "--json")).json == {"queue": "default", "paused": False}

    async def is_told() -> bool:
        return not (await command("stats", "--json")).json["queues"][0]["paused"]

    await wait_until(is_told)  # figures are up to a second old
    assert (await command("pause", "elsewhere")).code == 3


async def test_worlds_are_listed_read_and_deleted(server: str, command: Command, worlds: Worlds) -> None:
    assert (await command("worlds")).out == "no worlds\n"
    saved = await worlds.save(
        NewWorld(
            root_job_id=(job_id := str(uuid.uuid4())),
            job_id=job_id,
            owner=LOCAL_OWNER,
            user_id="7",
            theme="fantasy",
            title="The Long Night",
            paragraphs=["One. " * 40, "Two."],
            quest=Quest(title="Go", description="far", stages=("Wake", "Walk")),
            pieces=[],
        )
    )
    listed = await command("worlds", "--json")
    world_id = listed.json[0]["id"]
    assert world_id in str(saved)
    assert "The Long Night" in (await command("worlds")).out
    shown = await command("worlds", "show", world_id)
    assert "Quest: Go" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    assert (await command("worlds", "show", world_id, "--json")).json["title"] == "The Long Night"
    assert (await command("worlds", "delete", world_id)).code == 0
    assert (await command("worlds", "show", world_id)).code == 3


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("submit", "write_verse"), 2, "there is no job type 'write_verse': did you mean 'write_verses'?"),
        (("submit", "write_verses", "abuot=rain"), 2, "write_verses: there is no field 'abuot': did you mean 'about'?"),
        (("submit", "write_verses", "about=rain", "count=x"), 2, "write_verses: count='x': expected integer"),
        (("submit", "write_verses", "about=rain", "count=99"), 2, "/payload/count: Input should be less than"),
        (("submit", "write_verses"), 2, "/payload/about: Field required"),
        (("types", "nothing-like-it"), 2, "there is no job type 'nothing-like-it': expected one of create_world"),
        (("show", NOBODY), 3, "no job has this id"),
        (("watch", NOBODY), 3, "no job has this id"),
        (("cancel", NOBODY), 3, "no job has this id"),
        (("retry", ".."), 3, "no job has this id"),
        (("worlds", "show", NOBODY), 3, "no world has this id"),
        (("submit",), 2, "Missing argument 'TYPE'"),
        (("show", "--nonsense"), 2, "No such option: --nonsense"),
        (("frobnicate",), 2, "No such command 'frobnicate'"),
        (("list", "--url", "nonsense"), 2, "'nonsense' is no address of a server"),
        (("list", "--url", "http://127.0.0.1:1"), 4, "no answer from 'http://127.0.0.1:1'"),
    ],
)
async def test_what_goes_wrong_is_one_line_and_a_code(
    server: str, command: Command, words: tuple[str, ...], code: int, message: str
) -> None:
    ran = await command(*words)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(f"loresmith: {message}")
    assert ran.err.count("\n") == 1


async def test_a_watch_that_takes_too_long_ends_with_124(
    server: str, command: Command, remote: httpx2.AsyncClient
) -> None:
    job_id = await submitted(remote, "wait:never")
    ran = await command("watch", job_id, "--timeout", "0.3")
    assert ran.code == 124
    assert "it goes on" in ran.err
    assert not (await job_of(remote, job_id))["done"]


async def test_ctrl_c_leaves_the_job_to_go_on(server: str, remote: httpx2.AsyncClient) -> None:
    job_id = await submitted(remote, "wait:never")
    program = str(Path(sys.executable).with_name("loresmith"))
    pipe = asyncio.subprocess.PIPE
    watching = await asyncio.create_subprocess_exec(
        program,
        *("watch", job_id),
        stdout=pipe,
        stderr=pipe,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a test in the background ignores it
    )
    assert watching.stdout is not None
    assert b"Preparing" in await watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    _, err = await watching.communicate()
    assert watching.returncode == 130
    assert err.decode() == f"loresmith: left; the job goes on: loresmith watch {job_id}\n"
    assert not (await job_of(remote, job_id))["done"]


async def test_the_address_and_the_key_may_stand_in_a_file(
    address: tuple[str, int], command: Command, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"LORESMITH_URL=http://{address[0]}:{address[1]}\nLORESMITH_API_KEY=k\n")
    assert (await command("list")).out == "no jobs\n"


async def test_completion_knows_types_fields_and_jobs(
    server: str, remote: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Context:
        params = {"job_type": "write_verses"}  # noqa: RUF012 - as typer's has it

    job_id = await submitted(remote)
    assert await asyncio.to_thread(lambda: list(complete_types("write"))) == ["write_verses"]
    assert await asyncio.to_thread(lambda: list(complete_fields(Context(), "co"))) == ["count="]  # pyright: ignore[reportArgumentType]
    assert await asyncio.to_thread(lambda: list(complete_jobs(job_id[:4]))) == [job_id]
    monkeypatch.setenv("LORESMITH_URL", "http://127.0.0.1:1")
    assert await asyncio.to_thread(lambda: list(complete_types("write"))) == []


async def test_a_shell_completes_job_types(server: str) -> None:
    import os

    program = str(Path(sys.executable).with_name("loresmith"))
    words = {"_LORESMITH_COMPLETE": "complete_bash", "COMP_WORDS": "loresmith submit write", "COMP_CWORD": "2"}
    completing = await asyncio.create_subprocess_exec(
        program, env={**os.environ, **words}, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await completing.communicate()
    assert out.decode().split() == ["write_verses"]
