"""Budgets of a job and of an owner's day: reserved before a call, settled after it, and never overdrawn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.errors import GenerationError
from loresmith.llm_service.budgets import Budget, Budgets
from loresmith.llm_service.provider import Provider, find_provider
from loresmith.llm_service.purse import Account, LocalPurse, Purse, Reserved, Sum
from loresmith.llm_service.route import Route
from loresmith.llm_service.server import LoreServer
from loresmith.llm_service.shared import SharedPurse
from tests.llm_service.openai_server import OpenAIServer, goes_silent, says
from tests.llm_service.orders import VALID, collect, final_of, order
from tests.waiting import wait_until

ACCOUNT = Account("job:1", tokens=100, nano_usd=1000)


@pytest.fixture(params=["local", "shared"])
def purse(request: pytest.FixtureRequest) -> Purse:
    return LocalPurse() if request.param == "local" else SharedPurse(request.getfixturevalue("redis"))


async def test_what_was_used_is_gone_and_what_was_not_comes_back(purse: Purse) -> None:
    assert await purse.reserve(ACCOUNT, "a", Sum(80), seconds=60) is Reserved.DONE
    assert await purse.reserve(ACCOUNT, "b", Sum(30), seconds=60) is Reserved.LATER
    await purse.spend(ACCOUNT, "a", Sum(60))
    assert await purse.reserve(ACCOUNT, "b", Sum(30), seconds=60) is Reserved.DONE
    assert await purse.reserve(ACCOUNT, "c", Sum(41), seconds=60) is Reserved.TOO_LITTLE


async def test_money_is_a_budget_too(purse: Purse) -> None:
    assert await purse.reserve(ACCOUNT, "a", Sum(1, 900), seconds=60) is Reserved.DONE
    await purse.spend(ACCOUNT, "a", Sum(1, 900))
    assert await purse.reserve(ACCOUNT, "b", Sum(1, 101), seconds=60) is Reserved.TOO_LITTLE
    assert await purse.reserve(ACCOUNT, "b", Sum(1, 100), seconds=60) is Reserved.DONE


async def test_reserving_and_settling_may_be_repeated(purse: Purse) -> None:
    for _ in range(3):
        assert await purse.reserve(ACCOUNT, "a", Sum(60), seconds=60) is Reserved.DONE
    for _ in range(3):
        await purse.spend(ACCOUNT, "a", Sum(50))
    assert await purse.reserve(ACCOUNT, "b", Sum(50), seconds=60) is Reserved.DONE


async def test_a_reservation_that_is_never_settled_counts_as_used(purse: Purse) -> None:
    assert await purse.reserve(ACCOUNT, "dead", Sum(60), seconds=0.05) is Reserved.DONE

    async def used() -> bool:
        return await purse.reserve(ACCOUNT, "b", Sum(50), seconds=60) is Reserved.TOO_LITTLE

    await wait_until(used)
    assert await purse.reserve(ACCOUNT, "c", Sum(40), seconds=60) is Reserved.DONE


async def test_accounts_do_not_know_each_other(purse: Purse) -> None:
    assert await purse.reserve(ACCOUNT, "a", Sum(100), seconds=60) is Reserved.DONE
    assert await purse.reserve(Account("job:2", tokens=100), "a", Sum(100), seconds=60) is Reserved.DONE


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def served(stack: AsyncExitStack, provider: Provider, budgets: Budgets) -> GrpcLoreModel:
    """A client of a service with budgets."""
    server = LoreServer(Route([provider], budgets=budgets), queued_reminder_seconds=0.05)
    port = await server.start("127.0.0.1:0")
    stack.push_async_callback(server.stop)
    model = GrpcLoreModel(f"127.0.0.1:{port}", call_silence_seconds=2)
    stack.push_async_callback(model.close)
    return model


def compatible(openai: OpenAIServer) -> Provider:
    return find_provider("openai-compatible:knight-1", base_url=openai.url)


async def test_a_job_beyond_its_budget_fails_for_good_before_the_call(
    stack: AsyncExitStack, openai: OpenAIServer
) -> None:
    openai.answers = [says(VALID, tokens=300)]
    model = await served(stack, compatible(openai), Budgets(Budget(tokens=1000)))
    for _ in range(2):
        assert final_of(await collect(model, order(max_output_tokens=300))) == VALID
    with pytest.raises(GenerationError) as raised:
        await collect(model, order(max_output_tokens=500))
    assert (raised.value.code, raised.value.retryable) == ("budget_exceeded", False)
    assert raised.value.message == "this job needs more than its budget of 1,000 tokens"
    assert len(openai.exchanges) == 2


async def test_calls_of_one_job_wait_for_what_the_others_reserved(stack: AsyncExitStack, openai: OpenAIServer) -> None:
    openai.answers = [says(VALID, tokens=20)]
    model = await served(stack, compatible(openai), Budgets(Budget(tokens=900)))
    calls = (collect(model, order(max_output_tokens=500, seed=number)) for number in range(5))
    assert [final_of(events) for events in await asyncio.gather(*calls)] == [VALID] * 5


async def test_an_owner_has_a_budget_a_day_that_says_when_it_starts_anew(
    stack: AsyncExitStack, openai: OpenAIServer
) -> None:
    openai.answers = [says(VALID)]
    model = await served(stack, compatible(openai), Budgets(None, Budget(tokens=100)))
    with pytest.raises(GenerationError, match=r"your budget of 100 tokens a day.*midnight UTC"):
        await collect(model, order(owner="somebody"))
    assert final_of(await collect(model, order())) == VALID, "who has no owner has no such budget"


async def test_money_is_counted_at_the_prices_of_the_model(
    stack: AsyncExitStack, openai: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_BASE_URL", openai.url)
    openai.answers = [says(VALID, tokens=1000)]
    model = await served(stack, find_provider("openai-chat:gpt-5-mini"), Budgets(Budget(usd=0.006)))
    for _ in range(2):
        assert final_of(await collect(model, order())) == VALID
    with pytest.raises(GenerationError, match=r"budget of \$0.01"):
        await collect(model, order())
    assert len(openai.exchanges) == 2, "0.2 cents each, and 0.3 cents must be reserved"


def test_a_budget_of_money_needs_a_model_with_a_price(openai: OpenAIServer) -> None:
    with pytest.raises(ValueError, match="the price of model 'knight-1' is not known"):
        Route([compatible(openai)], budgets=Budgets(Budget(usd=1)))


async def test_a_call_cut_off_is_charged_what_the_model_wrote(stack: AsyncExitStack, openai: OpenAIServer) -> None:
    purse: Any = LocalPurse()
    openai.answers = [goes_silent]
    model = await served(stack, compatible(openai), Budgets(Budget(tokens=5000), None, purse))
    call = asyncio.create_task(collect(model, order(max_output_tokens=4000)))
    await openai.request_number(1)
    call.cancel()
    await wait_until(lambda: purse._states["job:job-1"].used.tokens)
    assert 50 < purse._states["job:job-1"].used.tokens < 400
