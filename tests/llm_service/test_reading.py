"""How answers, headers and refusals of providers are read."""

from __future__ import annotations

import json
import time
from email.utils import formatdate

import pytest

from loresmith.llm.errors import GenerationError
from loresmith.llm.port import GenerationRequest
from loresmith.llm_service.fields import FieldReader
from loresmith.llm_service.object_text import likeliest_object, object_texts
from loresmith.llm_service.retry_after import retry_after
from loresmith.llm_service.said import LONGEST_BODY_BYTES, masked, provider_said

NOW = 1_796_028_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("2.5", 2.5),
        (str(int(NOW) + 30), 30.0),
        (str((int(NOW) + 30) * 1000), 30.0),
        ("1796031600", 120.0),
        (str(int(NOW) - 30), None),
        (formatdate(NOW + 45, usegmt=True), 45.0),
        (formatdate(NOW - 45, usegmt=True), None),
        ("3600", 120.0),
        ("soon", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("6m0s", 120.0),
        ("20ms", 0.02),
        ("1m30s", 90.0),
        ("5 minutes", None),
    ],
)
def test_retry_after_is_read_as_what_it_can_only_mean(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}, now=NOW) == seconds


@pytest.mark.parametrize(("value", "seconds"), [("250", 0.25), ("-250", None), ("soon", None), ("600000", 120.0)])
def test_milliseconds_come_first(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after-ms": value}, now=NOW) == seconds
    assert retry_after({"retry-after-ms": value, "retry-after": "9"}, now=NOW) == (9.0 if seconds is None else seconds)


GOOD = '{"name":"Ann","note":"says </think> and ```json {}``` aloud"}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"Thoughts {{like this}} and {{\"name\": 1}}.</think>{GOOD}",
        f"```json\n{GOOD}\n```\nI left {{\"name\": \"x\"}} out.",
        f"{{\"name\":1}}\n\n{GOOD}",
        f"In the {{name, note}} form: {GOOD} (see {{}})",
    ],
)  # fmt: skip
def test_the_object_is_among_those_that_are_found(text: str) -> None:
    def fits(found: str) -> bool:
        value = json.loads(found)
        return isinstance(value.get("name"), str) and "note" in value

    assert next(found for found in object_texts(text) if fits(found)) == GOOD


def test_a_search_through_nonsense_ends() -> None:
    start = time.process_time()
    assert list(object_texts('{"a":' * 20_000)) == []
    assert likeliest_object("{" * 50_000, {"a"}).startswith("{")
    assert time.process_time() - start < 5


def test_what_is_cut_off_is_judged_from_its_brace() -> None:
    assert likeliest_object('Sure {ok}: </think> {"name":"An', {"name"}) == '{"name":"An'
    assert likeliest_object("nothing", {"name"}) == ""


def test_a_brace_of_prose_is_taken_back() -> None:
    reader = FieldReader()
    fields = list(reader.feed('In the {name, role} form: {"name": "Ann"}'))
    assert [field.partial for field in fields] == ['{"name": "Ann"}']
    assert reader.object_text == '{"name": "Ann"}'


def test_secrets_and_the_prompt_are_masked() -> None:
    request = GenerationRequest("You write lore of the north.", 'A knight named "Ole" of the old kingdom.', {})
    said = (
        'Incorrect key sk-abcdef***123 or a-key-of-ours, Bearer abc.def; you sent: A knight named \\"Ole\\" of the old'
        " kingdom. and more"
    )
    shown = masked(said, request, ["a-key-of-ours"])
    assert "sk-abcdef" not in shown
    assert "a-key-of-ours" not in shown
    assert "abc.def" not in shown
    assert "knight" not in shown
    assert shown.startswith("Incorrect key [secret] or [secret], [secret]; you sent: [prompt]")
    assert shown.endswith("and more")


def test_an_error_of_our_own_has_no_words_of_a_provider() -> None:
    error = GenerationError("output_invalid", "no object")
    error.__cause__ = error
    assert provider_said(error, GenerationRequest("", "", {})) == {}


def test_long_answers_are_cut() -> None:
    assert len(masked("ü" * 5000, GenerationRequest("", "", {})).encode()) <= LONGEST_BODY_BYTES
