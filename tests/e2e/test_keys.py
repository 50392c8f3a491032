"""`loresmith keys`, and the server that asks for them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from loresmith.db import looks_like_key
from tests.e2e.conftest import Fails, ProcessOf, Start, process_of
from tests.waiting import wait_until


async def told(of: ProcessOf, data_dir: Path, *words: str, **settings: str) -> tuple[str, str]:
    """Run a command that succeeds; returns what it wrote to either stream."""
    async with of(data_dir, *words, **settings) as process:
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode(), err.decode()


async def test_a_key_is_made_opens_the_server_and_is_revoked(start: Start, short_tmp: Path, forked: ProcessOf) -> None:
    data_dir = short_tmp / "data"
    out, err = await told(process_of, data_dir, "keys", "create", "anna", "--expires", "12h")
    key = out.strip()
    assert looks_like_key(key)
    assert re.match(rf"key {key[:11]}… of 'anna', which expires 20\d\d-\d\d-\d\d \d\d:\d\d UTC\. It is not", err)
    assert "LORESMITH_AUTH=keys" in err
    run = await start(data_dir, auth="keys")
    assert (await run.http.get("/jobs")).status_code == 401
    mine = {"Authorization": f"Bearer {key}"}
    assert (await run.http.get("/jobs", headers=mine)).status_code == 200
    out, _ = await told(forked, data_dir, "keys", "list")
    assert out.splitlines()[0].split() == ["KEY", "OWNER", "SCOPES", "CREATED", "LAST", "USED", "ENDS"]
    assert max(len(line) for line in out.splitlines()) <= 80
    assert key not in out
    out, err = await told(forked, data_dir, "keys", "revoke", key[:11], auth="keys")
    assert (out, err) == (f"revoked {key[:11]}… of 'anna'\n", "")

    async def is_closed() -> bool:
        return (await run.http.get("/jobs", headers=mine)).status_code == 401

    await wait_until(is_closed, seconds=15)
    [listed] = json.loads((await told(forked, data_dir, "keys", "list", "--json"))[0])
    assert listed["owner"] == "anna"
    assert listed["revoked_at"] is not None


async def test_an_admins_key_says_so(short_tmp: Path, forked: ProcessOf) -> None:
    _, err = await told(forked, short_tmp / "data", "keys", "create", "root", "--admin", auth="keys")
    assert "of 'root' (admin), which does not expire" in err
    assert "LORESMITH_AUTH" not in err


async def test_what_keys_cannot_do_is_one_line(short_tmp: Path, fails: Fails) -> None:
    data_dir = short_tmp / "data"
    assert "no API key is named 'ls_nobody'" in await fails(data_dir, "keys", "revoke", "ls_nobody")
    assert "--expires '3 days': expected a number of hours" in await fails(
        data_dir, "keys", "create", "anna", "--expires", "3 days"
    )
    assert "owner 'a\\nb' is no name" in await fails(data_dir, "keys", "create", "a\nb")
