"""Ids in addresses: UUIDs are found however RFC 9562 lets them be written, and what is none is a clean 404."""

from collections.abc import Callable

import httpx2
import pytest

from loresmith.db import Worlds
from tests.api.conftest import assert_problem, ended, submitted
from tests.db.samples import new_world

FORMS: list[Callable[[str], str]] = [
    str.upper,
    str.title,
    lambda text: f"urn:uuid:{text}",
    lambda text: f"URN:UUID:{text.upper()}",
    lambda text: f"%7B{text}%7D",
    lambda text: f"{{{text.upper()}}}",
]
NAMES = ["upper", "mixed", "urn", "upper urn", "encoded braces", "braces"]


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("form", FORMS, ids=NAMES)
async def test_a_job_is_found_by_any_form_of_its_id(api: httpx2.AsyncClient, form: Callable[[str], str]) -> None:
    job = await ended(api, await submitted(api))
    path = f"/jobs/{form(job['id'])}"
    found = await api.get(path)
    assert found.json() == job, "with links in lower case"
    assert (await api.get(path, headers={"If-None-Match": found.headers["etag"]})).status_code == 304
    assert "event: done" in (await api.get(f"{path}/events")).text
    assert (await api.post(f"{path}/cancel")).json() == job
    assert (await api.post(f"{path}/tokens")).status_code == 201
    assert (await api.get(f"{path}/webhooks")).status_code == 200
    assert (await api.delete(path)).status_code == 204
    assert_problem(await api.get(f"/jobs/{job['id']}"), 404, "job_not_found")


@pytest.mark.parametrize("form", FORMS, ids=NAMES)
async def test_a_world_is_found_by_any_form_of_its_id(
    api: httpx2.AsyncClient, worlds: Worlds, form: Callable[[str], str]
) -> None:
    world = await worlds.save(new_world())
    answer = await api.get(f"/worlds/{form(world.id)}")
    assert answer.json()["links"]["self"] == f"/worlds/{world.id}"
    assert (await api.delete(f"/worlds/{form(world.id)}")).status_code == 204


async def test_many_are_found_by_any_form_and_each_once(api: httpx2.AsyncClient) -> None:
    job_id, missing = await submitted(api), "0EA74ECE-1EAA-4AC2-BBAE-C3DBA4F4E8A5"
    ids = ",".join([job_id.upper(), job_id, f"urn:uuid:{job_id}", missing])
    answer = (await api.get("/jobs", params={"ids": ids})).json()
    assert [job["id"] for job in answer["data"]] == [job_id]
    assert answer["missing"] == [missing], "as it was asked for"


@pytest.mark.parametrize(
    "job_id",
    ["{", "urn:uuid:", "urn:uuid:x", "urn:uuid:{0ea74ece-1eaa-4ac2-bbae-c3dba4f4e8a5}", "{0ea74ece}"],
)
async def test_what_is_no_id_is_not_found(api: httpx2.AsyncClient, job_id: str) -> None:
    assert_problem(await api.get(f"/jobs/{job_id}"), 404, "job_not_found")
