"""How the parts of a process are put together."""

import asyncio
from pathlib import Path

import pytest

from loresmith.cli.children import together
from loresmith.cli.lore import find_route
from loresmith.cli.stack import StartError
from loresmith.embedded.model import OWN_SAMPLING, SAMPLING, EmbeddedModel
from loresmith.settings import load_settings


def test_the_embedded_model_has_guides_and_its_own_sampling(tmp_path: Path) -> None:
    provider = find_route(load_settings(), EmbeddedModel(tmp_path / "model.log")).first.provider
    assert provider.guided
    assert "extra_body" in provider.settings
    assert provider.settings["extra_body"] == OWN_SAMPLING


def test_what_suits_only_our_own_model_is_kept_from_a_file_of_the_user() -> None:
    assert EmbeddedModel(Path("model.log"), model_file=Path("other.gguf")).sampling == SAMPLING


def test_another_model_has_no_guides_unless_a_setting_says_so() -> None:
    assert not find_route(load_settings(model="fake?seconds=1"), None).first.provider.guided
    assert find_route(load_settings(model="fake?seconds=1", model_guided=True), None).first.provider.guided


def test_the_guides_of_the_embedded_model_can_be_switched_off(tmp_path: Path) -> None:
    settings = load_settings(model_guided=False)
    assert not find_route(settings, EmbeddedModel(tmp_path / "model.log")).first.provider.guided


async def test_what_stops_slowly_is_cancelled_once_although_another_part_ends_at_once() -> None:
    """A child that was being stopped was cancelled again, and killed for it."""
    begun, cancels = asyncio.Event(), 0

    async def slow() -> None:
        nonlocal cancels
        begun.set()
        for _ in range(3):
            try:
                async with asyncio.timeout(0.05):
                    await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancels += 1
            except TimeoutError:
                if cancels:
                    return

    async def quick() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(together(slow(), quick()))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert cancels == 1


async def test_the_error_of_a_part_is_raised_as_it_is() -> None:
    async def fails() -> None:
        raise StartError("no room")

    with pytest.raises(StartError, match="no room"):
        await together(fails(), asyncio.Event().wait())
