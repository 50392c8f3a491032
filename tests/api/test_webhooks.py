"""Webhooks of the API: what a submit takes, what its owner reads of them, and what nobody sees."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from standardwebhooks import Webhook

from loresmith.api import create_app
from loresmith.api.webhooks import Webhooks
from loresmith.bootstrap import build_deliveries
from loresmith.db import Worlds
from loresmith.jobs import JobManager, Worker
from loresmith.webhooks import Deliveries, Outcome, Rules
from loresmith.webhooks.subscription import delivery_id
from tests.api.conftest import assert_problem, ended, in_process
from tests.api.test_openapi import check
from tests.waiting import wait_until
from tests.webhooks.conftest import SECRET, sender_to
from tests.webhooks.receiver import Receiver, receiving
from tests.webhooks.telling import delivery_ended, telling

URL = "https://example.com/hooks?token=hush"
SUBMIT: dict[str, Any] = {"type": "play", "payload": {}}


@pytest.fixture
def app(manager: JobManager, worlds: Worlds, redis: Any) -> FastAPI:
    return create_app(manager, worlds, webhooks=Webhooks(Deliveries(build_deliveries(redis)), Rules()))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


def asking(webhook: Any, **more: Any) -> dict[str, Any]:
    return {**SUBMIT, "webhook": webhook, **more}


@pytest.mark.parametrize(
    ("webhook", "pointer", "code"),
    [
        ("https://example.com", "/webhook", "model_type"),
        ({}, "/webhook/url", "missing"),
        ({"url": 5}, "/webhook/url", "string_type"),
        ({"url": ""}, "/webhook/url", "string_too_short"),
        ({"url": "https://example.com/" + "x" * 2048}, "/webhook/url", "string_too_long"),
        ({"url": URL, "secret": "x"}, "/webhook/secret", "extra_forbidden"),
        ({"url": URL, "events": []}, "/webhook/events", "too_short"),
        ({"url": URL, "events": ["job.started"]}, "/webhook/events/0", "literal_error"),
        ({"url": URL, "events": "job.failed"}, "/webhook/events", "list_type"),
        ({"url": "http://example.com/"}, "/webhook/url", "url_not_allowed"),
        ({"url": "https://anna:pw@example.com/"}, "/webhook/url", "url_not_allowed"),
        ({"url": "https://169.254.169.254/"}, "/webhook/url", "url_not_allowed"),
        ({"url": "https://example.com:25/"}, "/webhook/url", "url_not_allowed"),
    ],
)
async def test_a_webhook_that_is_wrong_is_pointed_at(
    api: httpx2.AsyncClient, webhook: Any, pointer: str, code: str
) -> None:
    problem = assert_problem(await api.post("/jobs", json=asking(webhook)), 400, "invalid_payload")
    assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [(pointer, code)]
    batch = {"jobs": [SUBMIT, asking(webhook)]}
    problem = assert_problem(await api.post("/jobs/batch", json=batch), 400, "invalid_payload")
    assert [one["pointer"] for one in problem["errors"]] == [f"/jobs/1{pointer}"]
    assert (await api.get("/jobs")).json()["data"] == []


async def test_a_server_without_secrets_takes_no_webhook(manager: JobManager, worlds: Worlds) -> None:
    async with in_process(create_app(manager, worlds)) as api:
        problem = assert_problem(await api.post("/jobs", json=asking({"url": URL})), 400, "invalid_payload")
    assert problem["errors"][0]["pointer"] == "/webhook"
    assert problem["errors"][0]["code"] == "webhooks_not_set_up"
    assert "LORESMITH_WEBHOOK_SECRETS" in problem["detail"]


async def test_a_webhook_is_no_part_of_the_job(api: httpx2.AsyncClient) -> None:
    answer = await api.post("/jobs", json=asking({"url": URL}))
    assert answer.status_code == 202
    for path in (answer.headers["location"], f"{answer.headers['location']}?include=payload", "/jobs"):
        assert "example.com" not in (await api.get(path)).text


async def test_a_webhook_is_a_part_of_the_request_that_a_key_stands_for(api: httpx2.AsyncClient) -> None:
    key = {"Idempotency-Key": "k"}
    first = await api.post("/jobs", json=asking({"url": URL}), headers=key)
    again = await api.post("/jobs", json=asking({"url": URL}), headers=key)
    assert again.json()["id"] == first.json()["id"]
    other = await api.post("/jobs", json=asking({"url": f"{URL}1"}), headers=key)
    assert_problem(other, 422, "idempotency_key_reused")


async def test_the_log_before_the_end(app: FastAPI, api: httpx2.AsyncClient) -> None:
    asked = asking({"url": URL, "events": ["job.failed", "job.failed"]}, delay_seconds=60)
    path = (await api.post("/jobs", json=asked)).headers["location"]
    log = (await api.get(f"{path}/webhooks")).json()
    assert log == {"webhook": {"url": "https://example.com/hooks?…", "events": ["job.failed"]}, "data": []}
    check(app.openapi(), "WebhookLog", log)
    path = (await api.post("/jobs", json=SUBMIT)).headers["location"]
    assert (await api.get(f"{path}/webhooks")).json() == {"webhook": None, "data": []}
    assert_problem(await api.get("/jobs/00000000-0000-0000-0000-000000000000/webhooks"), 404, "job_not_found")


async def test_what_is_told_is_the_job_as_it_is_read(
    app: FastAPI, api: httpx2.AsyncClient, worker: Worker, redis: Any, redis_url: str, receiver: Receiver
) -> None:
    receiver.answers.append(500)
    body = {"type": "write_verses", "payload": {"about": "rain"}, "webhook": {"url": receiver.url()}}
    async with telling(redis_url, sender_to(receiver), secrets=[SECRET]):
        job = (await api.post("/jobs", json=body)).json()
        await delivery_ended(redis, job["id"], "job.completed")
        log = (await api.get(f"/jobs/{job['id']}/webhooks")).json()
    got = receiver.got[-1]
    message = Webhook(SECRET).verify(got.body, dict(got.headers))
    assert message["data"] == await ended(api, job["id"])
    check(app.openapi(), "JobObject", message["data"])
    check(app.openapi(), "WebhookLog", log)
    [delivery] = log["data"]
    assert (delivery["id"], delivery["state"]) == (got.headers["webhook-id"], "delivered")
    assert [(one["outcome"], one["status"]) for one in delivery["tries"]] == [("rejected", 500), ("delivered", 204)]
    assert delivery["next_try_at"] is None
    assert "hush" not in str(log)


async def test_a_retry_carries_the_webhook_on(
    api: httpx2.AsyncClient, worker: Worker, redis: Any, redis_url: str, receiver: Receiver
) -> None:
    asked = {"type": "play", "payload": {"steps": ["refuse"]}, "webhook": {"url": receiver.url()}}
    async with telling(redis_url, sender_to(receiver), secrets=[SECRET]):
        first = (await api.post("/jobs", json=asked)).json()
        await ended(api, first["id"])
        again = (await api.post(f"/jobs/{first['id']}/retry")).json()
        await wait_until(lambda: len(receiver.got) == 2)
    assert {got.document["data"]["id"] for got in receiver.got} == {first["id"], again["id"]}


async def test_deliveries_are_seen_nowhere(
    api: httpx2.AsyncClient, worker: Worker, redis: Any, redis_url: str, receiver: Receiver
) -> None:
    """Not by the owner, who is an admin here, too."""
    async with telling(redis_url, sender_to(receiver), secrets=[SECRET]):
        job = (await api.post("/jobs", json=asking({"url": receiver.url()}))).json()
        await delivery_ended(redis, job["id"], "job.completed")
        stats = (await api.get("/stats")).json()
    hidden = delivery_id(job["id"], "job.completed")
    assert [one["id"] for one in (await api.get("/jobs")).json()["data"]] == [job["id"]]
    assert (await api.get(f"/jobs?ids={hidden}")).json()["missing"] == [hidden]
    for method, path in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry"), ("DELETE", ""), ("GET", "/webhooks")):
        assert_problem(await api.request(method, f"/jobs/{hidden}{path}"), 404, "job_not_found")
    assert [one["name"] for one in stats["queues"]] == ["default"]
    assert set(stats["types"]) == {"play"}
    assert len(stats["workers"]) == 1
    assert "deliver_webhook" not in (await api.get("/job-types")).text
    asked = {"type": "deliver_webhook", "payload": {"job_id": job["id"], "event": "job.completed"}}
    assert_problem(await api.post("/jobs", json=asked), 400, "unknown_job_type")
    assert_problem(await api.post("/queues/webhooks/pause"), 404, "queue_not_found")


def test_the_manual_of_webhooks_names_every_outcome() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    assert [one for one in Outcome if f"`{one}`" not in manual] == []
