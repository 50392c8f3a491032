"""The generated code is what proto/ says."""

from __future__ import annotations

from scripts.gen_proto import generate, stale_files


def test_the_generated_code_is_up_to_date() -> None:
    assert stale_files(generate()) == []


def test_a_difference_is_named() -> None:
    generated = {**generate(), "lore_pb2.py": "another text", "more.py": ""}
    del generated["__init__.py"]
    assert stale_files(generated) == ["__init__.py", "lore_pb2.py", "more.py"]
