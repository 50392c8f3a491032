"""Prompts and answers as the tokens of a chat, as llama.cpp renders the template of the model."""

from dataclasses import dataclass
from typing import Any, Final

from loresmith.small_model.prompts import INSTRUCTIONS
from training.examples import Example

LONGEST: Final = 1600
"""Tokens of a sequence; the model reads 2,048."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Tokens; the first `prompt` of them are not learned."""

    tokens: list[int]
    prompt: int


def render_prompt(prompt: str) -> str:
    """Return a prompt in ChatML, up to where the answer begins."""
    return (
        f"<|im_start|>system\n{INSTRUCTIONS}<|im_end|>\n<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
    )


def encode(example: Example, tokenizer: Any) -> Sequence:
    """Return an example as tokens. Raises ValueError if it is too long."""
    prompt: list[int] = tokenizer.encode(render_prompt(example.prompt), add_special_tokens=False)
    answer: list[int] = tokenizer.encode(f"{example.answer}<|im_end|>", add_special_tokens=False)
    if len(prompt) + len(answer) > LONGEST:
        raise ValueError(f"{len(prompt) + len(answer)} tokens are more than {LONGEST}: {example.answer[:80]}")
    return Sequence(prompt + answer, len(prompt))
