"""The server itself: health, reflection, address, size limits, logs."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio
import pytest
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.errors import GenerationError, LoreProtocolError
from loresmith.llm.pb import lore_pb2
from loresmith.llm.port import GenerationRequest, ModelCapabilities
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.server import LARGEST_REQUEST_BYTES, LoreServer
from tests.llm_service.conftest import Serve
from tests.llm_service.openai_server import OpenAIServer, fails, says
from tests.llm_service.orders import VALID, collect, final_of, order
from tests.waiting import wait_until

SERVICE = "loresmith.lore.v1.LoreService"


async def test_health_and_reflection_are_standard(serve: Serve) -> None:
    model = await serve(find_provider("fake"))
    async with grpc.aio.insecure_channel(model._address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        for name in ("", SERVICE):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub
        call: Any = reflection(channel).ServerReflectionInfo(iter([ask]))
        listed: Any = (await call.read()).list_services_response.service
        assert {SERVICE, "grpc.health.v1.Health"} <= {each.name for each in listed}
        call.cancel()


async def test_describe_says_what_the_model_can_do(serve: Serve) -> None:
    model = await serve(find_provider("fake?slots=3"))
    assert await model.capabilities() == ModelCapabilities("fake", True, 3)


async def test_a_call_waits_for_a_model_that_is_being_started_again(serve: Serve) -> None:
    back, asked = asyncio.Event(), asyncio.Event()

    async def present() -> None:
        asked.set()
        await back.wait()

    model = await serve(replace(find_provider("fake?seconds=0"), present=present))
    short = GrpcLoreModel(model._address, call_silence_seconds=0.5)
    call = asyncio.create_task(collect(short, order()))
    await asked.wait()
    waited = asyncio.get_running_loop().time() + 1.0  # longer than a silent model would be given
    await wait_until(lambda: asyncio.get_running_loop().time() > waited)
    assert not call.done()
    back.set()
    assert await call
    await short.close()


async def test_an_address_in_use_is_an_error_that_names_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OSError, match=f"cannot listen on '{address}'"):
            await LoreServer(find_provider("fake")).start(address)


async def test_two_servers_never_share_a_port() -> None:
    first, second = LoreServer(find_provider("fake")), LoreServer(find_provider("fake"))
    port = await first.start("127.0.0.1:0")
    with pytest.raises(OSError, match="cannot listen"):
        await second.start(f"127.0.0.1:{port}")
    await first.stop()


@pytest.mark.parametrize(
    "schema",
    [{"type": "array"}, {"type": 7}, {"$ref": "#/nowhere"}, {"properties": {"a": {"$ref": "#/b"}}, "type": "object"}],
)
async def test_what_is_no_schema_of_an_object_is_refused(serve: Serve, schema: dict[str, object]) -> None:
    model = await serve(find_provider("fake"))
    with pytest.raises(LoreProtocolError, match="INVALID_ARGUMENT: json_schema"):
        await collect(model, GenerationRequest("i", "p", schema))


async def test_a_request_beyond_the_size_limit_is_refused(serve: Serve) -> None:
    model = await serve(find_provider("fake"))
    with pytest.raises(LoreProtocolError, match="RESOURCE_EXHAUSTED"):
        await collect(model, order("x" * LARGEST_REQUEST_BYTES))


async def test_a_bug_in_the_service_is_reported_as_one(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    model = await serve(find_provider("fake?seconds=0"))
    monkeypatch.setattr("loresmith.llm_service.asking.settings_for", None)
    with structlog.testing.capture_logs() as logs, pytest.raises(LoreProtocolError, match="bug"):
        await collect(model, order())
    assert logs[-1]["event"] == "generation broke"


async def test_logs_name_the_job_and_hold_no_prompt_and_no_key(model: GrpcLoreModel, openai: OpenAIServer) -> None:
    openai.answers = [says(VALID), fails("401 Unauthorized", {"message": "bad key secret-key"})]
    asked = order("a secret prompt", purpose="generate_characters/0")
    with structlog.testing.capture_logs() as logs:
        await collect(model, asked)
        with pytest.raises(Exception, match="refused the credentials"):
            await collect(model, asked)
    finished, failed = logs
    assert finished["event"] == "generation finished"
    assert (finished["job_id"], finished["purpose"]) == ("job-1", "generate_characters/0")
    assert (finished["input_tokens"], finished["output_tokens"]) == (11, 7)
    assert (failed["event"], failed["code"]) == ("generation failed", "provider_auth")
    assert (failed["log_level"], failed["provider_status"]) == ("warning", 401)
    assert failed["provider_answer"] == '{"message": "bad key [secret]"}'
    assert "secret-key" not in str(logs)
    assert "a secret prompt" not in str(logs)


async def test_a_server_that_drains_says_so_lets_calls_end_and_takes_no_more() -> None:
    server = LoreServer(find_provider("fake?seconds=1&tokens=20"))
    address = f"127.0.0.1:{await server.start('127.0.0.1:0')}"
    model = GrpcLoreModel(address)
    running = asyncio.create_task(collect(model, order()))
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        watch: Any = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        await wait_until(lambda: server._route.first.slots._free._value < 64)
        stopping = asyncio.create_task(server.stop(10.0))
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watch.cancel()
    assert final_of(await running)
    await stopping
    with pytest.raises(GenerationError, match="could not be reached"):
        await collect(model, order())
    await model.close()


async def test_a_second_wish_ends_the_grace() -> None:
    server = LoreServer(find_provider("fake?seconds=30&tokens=20"))
    model = GrpcLoreModel(f"127.0.0.1:{await server.start('127.0.0.1:0')}")
    running = asyncio.create_task(collect(model, order()))
    await wait_until(lambda: server._route.first.slots._free._value < 64)
    stopping = asyncio.create_task(server.stop(20.0))
    await wait_until(lambda: server._stopping)
    server.hurry()
    async with asyncio.timeout(5):
        await stopping
    with pytest.raises(GenerationError):
        await running
    await model.close()


async def test_fallbacks_are_described(serve: Serve) -> None:
    model = await serve(Route([find_provider("fake"), replace(find_provider("fake"), label="other")]))
    answer: Any = await model._stub().Describe(lore_pb2.DescribeRequest())
    assert (answer.model, list(answer.fallbacks)) == ("fake", ["other"])
