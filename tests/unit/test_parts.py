"""How the parts of a process are put together."""

from pathlib import Path

from loresmith.cli.parts import find_model
from loresmith.embedded.model import SAMPLING, EmbeddedModel
from loresmith.settings import load_settings


def test_the_embedded_model_is_asked_with_its_grammar_and_its_sampling(tmp_path: Path) -> None:
    provider = find_model(load_settings(), EmbeddedModel(tmp_path / "model.log"))
    assert provider.decoding is not None
    asked = {"type": "string", "maxLength": 40, "x-pattern": "^Healer$"}
    assert provider.decoding(asked) == {"type": "string", "pattern": "^Healer$"}
    assert "extra_body" in provider.settings
    assert provider.settings["extra_body"] == SAMPLING


def test_another_model_is_asked_with_the_plain_schema() -> None:
    assert find_model(load_settings(model="fake?seconds=1"), None).decoding is None
