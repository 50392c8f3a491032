"""Words of a command line become what the schema of the job type wants, or are refused by name."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from loresmith.bootstrap import build_registry
from loresmith.cli.fields import FieldError, read_payload


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    size: int | None = None


class Payload(BaseModel):
    """Something of everything."""

    model_config = ConfigDict(extra="forbid")

    theme: str
    count: int = 3
    share: float = 0.5
    loud: bool = False
    user: str | int = 0
    inner: Inner | None = None
    words: list[str] = []
    sizes: list[int] | None = None
    inners: list[Inner] = []
    tags: str | list[str] = ""
    free: dict[str, Any] = {}


SCHEMA = Payload.model_json_schema()


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("count=3", {"count": 3}),
        ("count=-3", {"count": -3}),
        ("share=0.25", {"share": 0.25}),
        ("share=2", {"share": 2.0}),
        ("loud=true", {"loud": True}),
        ("loud=No", {"loud": False}),
        ("loud=1", {"loud": True}),
        ("theme=3", {"theme": "3"}),
        ("theme=", {"theme": ""}),
        ("theme=a=b", {"theme": "a=b"}),
        ("theme=@@home", {"theme": "@home"}),
        ("user=7", {"user": "7"}),
        ("inner=null", {"inner": None}),
        ('inner={"name":"x"}', {"inner": {"name": "x"}}),
        ("inner.name=x", {"inner": {"name": "x"}}),
        ("inner.size=4", {"inner": {"size": 4}}),
        ("inner.size=null", {"inner": {"size": None}}),
        ('words=["a","b"]', {"words": ["a", "b"]}),
        ("words=a, b", {"words": ["a, b"]}),
        ("words={a", {"words": ["{a"]}),
        ("words=@@a", {"words": ["@a"]}),
        ("sizes=3", {"sizes": [3]}),
        ("sizes=null", {"sizes": None}),
        ('inners={"name":"x"}', {"inners": [{"name": "x"}]}),
        ("tags=a", {"tags": "a"}),
        ("free.a.b=3", {"free": {"a": {"b": 3}}}),
        ("free.a=x", {"free": {"a": "x"}}),
    ],
)
def test_a_value_is_read_as_its_schema_says(word: str, value: dict[str, Any]) -> None:
    assert read_payload([word], SCHEMA) == value


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["count=many"], "count='many': expected integer"),
        (["count=3.5"], "count='3.5': expected integer"),
        (["share=inf"], "share='inf': expected number"),
        (["loud=perhaps"], "loud='perhaps': expected boolean"),
        (["cuont=3"], "there is no field 'cuont': did you mean 'count'?"),
        (["inner.nmae=x"], "there is no field 'inner.nmae': did you mean 'name'?"),
        (["zzzzzz=3"], "there is no field 'zzzzzz': expected one of count, free,"),
        (["count=3", "count=4"], "'count' is given twice"),
        (["inner=null", "inner.name=x"], "'inner' is given twice"),
        (["inner={"], "inner: expected JSON"),
        (["inner=x"], "inner='x': expected object"),
        (["count"], "'count' is no field: expected field=value"),
        (["=3"], "'=3' is no field"),
        (["theme=@nowhere"], "cannot read 'nowhere': no such file"),
        (["@nowhere"], "cannot read 'nowhere': no such file"),
    ],
)
def test_what_is_wrong_is_named_on_one_line(words: list[str], message: str) -> None:
    with pytest.raises(FieldError) as caught:
        read_payload(words, SCHEMA)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_field_comes_from_a_file_or_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inner.json").write_text('{"name": "Björn"}', encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO("a theme"))
    found = read_payload([f"inner=@{tmp_path}/inner.json", "theme=@-"], SCHEMA)
    assert found == {"inner": {"name": "Björn"}, "theme": "a theme"}


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["words=a", "words=b"], {"words": ["a", "b"]}),
        (['words=["a","b"]', "words=c"], {"words": ["a", "b", "c"]}),
        (["sizes=1", "sizes=2"], {"sizes": [1, 2]}),
        (["tags=a", "tags=b"], {"tags": ["a", "b"]}),
        (['inners={"name":"x"}', 'inners={"name":"y"}'], {"inners": [{"name": "x"}, {"name": "y"}]}),
    ],
)
def test_words_of_one_list_are_its_elements(words: list[str], value: dict[str, Any]) -> None:
    assert read_payload(words, SCHEMA) == value


def test_an_element_of_the_wrong_type_is_named() -> None:
    with pytest.raises(FieldError, match="sizes='x': expected integer"):
        read_payload(["sizes=1", "sizes=x"], SCHEMA)


def test_a_whole_payload_comes_from_a_file_and_other_words_win(tmp_path: Path) -> None:
    (tmp_path / "payload.json").write_text('{"theme": "fantasy", "count": 2}')
    assert read_payload(["count=5", f"@{tmp_path}/payload.json"], SCHEMA) == {"theme": "fantasy", "count": 5}
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(FieldError, match="expected a JSON object"):
        read_payload([f"@{tmp_path}/list.json"], SCHEMA)


def test_a_schema_that_names_no_fields_takes_any() -> None:
    assert read_payload(["a=3", "b=x"], {"type": "object"}) == {"a": 3, "b": "x"}
    open_one = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True}
    assert read_payload(["a=3", "b=3"], open_one) == {"a": "3", "b": 3}


def test_the_payloads_of_the_product_are_read() -> None:
    schemas = {kind.name: kind.payload_model.model_json_schema() for kind in build_registry()}
    characters = read_payload(["theme=fantasy", "count=3"], schemas["generate_characters"])
    assert characters == {"theme": "fantasy", "count": 3}
    words = ["user_id=7", "theme=fantasy", "selected_lore.character.name=Björn"]
    world = read_payload(words, schemas["create_world"])
    assert world == {"user_id": "7", "theme": "fantasy", "selected_lore": {"character": {"name": "Björn"}}}
    with pytest.raises(FieldError, match=r"'selected_lore\.charakter': did you mean 'character'"):
        read_payload(["selected_lore.charakter.name=x"], schemas["create_world"])
