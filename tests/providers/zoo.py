"""One server that plays many, by the name of the model that is asked for: what servers of OpenAI's protocol really do.

    zoo = Zoo(); await zoo.start()
    LORESMITH_MODEL=openai-compatible:<name of a behaviour>  LORESMITH_MODEL_BASE_URL=zoo.url

Each answers with an object that satisfies the schema of the request, wrapped or broken in its way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.llm_service.openai_server import Exchange, OpenAIServer
from tests.providers import zoo_plays as plays
from tests.providers.answers import answer_for
from tests.providers.rules import openai


@dataclass(frozen=True)
class Behaviour:
    """One thing that servers do, where that is known from, and what must come of it."""

    name: str
    what: str
    source: str
    play: plays.Play
    calls: int = 1
    code: str | None = None
    """The error of the call; None: it has its object."""
    message: str = ""
    """A part of the error's message."""
    retryable: bool | None = None
    """None: as errors of its code are."""
    retry_after: float | None = None
    tokens: tuple[int, int] | None = None
    """Tokens that are booked, where the server names them."""
    path: str = "/v1"


_ISSUES = "https://github.com/"
THINK = '<think>\nI want {a JSON object like {"name": "…"}}\n</think>\n\n'
ROWS: tuple[Behaviour, ...] = (
    Behaviour("plain", "the object and nothing else", "OpenAI API reference, chat streaming", plays.around("")),
    Behaviour("byte-by-byte", "a character in each chunk", "llama.cpp server", plays.byte_by_byte),
    Behaviour("think", "thoughts between tags", _ISSUES + "ggml-org/llama.cpp/issues/24671", plays.around(THINK)),
    Behaviour(
        "think-split",
        "tags split over chunks",
        _ISSUES + "ggml-org/llama.cpp/issues/24671",
        plays.around(THINK, size=3),
    ),
    Behaviour(
        "think-no-opening",
        "the opening tag is in the template",
        _ISSUES + "vllm-project/vllm/issues/17144",
        plays.around('I want {"name": "…"} or {a, b}.\n</think>\n\n'),
    ),
    Behaviour(
        "think-no-opening-split",
        "likewise, split over chunks",
        _ISSUES + "vllm-project/vllm/issues/31045",
        plays.around('I want {"name": "…"}.\n</think>', size=2),
    ),
    Behaviour(
        "thinking", "other names of the tags", "Claude through gateways", plays.around('<thinking>{"name"}</thinking>')
    ),
    Behaviour("mistral-think", "Magistral's marks", "Mistral docs, reasoning", plays.around('[THINK]{"name"}[/THINK]')),
    Behaviour("kimi-think", "Kimi's marks", "Kimi-VL-Thinking, chat template", plays.around('◁think▷{"a":1}◁/think▷')),
    Behaviour(
        "harmony",
        "the channels of gpt-oss, not parsed",
        "OpenAI cookbook, harmony response format",
        plays.around('<|channel|>analysis<|message|>{"a":1}<|end|><|start|>assistant<|channel|>final<|message|>'),
    ),
    Behaviour(
        "answer-tags",
        "the object within a tag",
        "DeepSeek-R1 paper, template",
        plays.around("<think>…</think><answer>", "</answer>"),
    ),
    Behaviour(
        "reasoning-content",
        "thoughts in a field",
        "DeepSeek API docs, reasoning_content",
        plays.field("reasoning_content"),
    ),
    Behaviour("reasoning", "thoughts in another field", "OpenRouter docs, reasoning tokens", plays.field("reasoning")),
    Behaviour(
        "all-in-reasoning",
        "the whole answer in the field of thoughts",
        _ISSUES + "vllm-project/vllm/issues/13125",
        plays.field("reasoning_content", also_object=True),
    ),
    Behaviour(
        "prose", "a sentence before", "instruct models without a grammar", plays.around("Sure! Here is your item:\n\n")
    ),
    Behaviour(
        "prose-braces", "braces in prose, a fence", "bug reports of comparable products, 2026", plays.prose_then_fence
    ),
    Behaviour(
        "fence",
        "a fence with a name",
        _ISSUES + "lmstudio-ai/lmstudio-bug-tracker/issues/2403",
        plays.around("```json\n", "\n```"),
    ),
    Behaviour(
        "fence-plain", "a fence without a name", "instruct models without a grammar", plays.around("```\n", "\n```")
    ),
    Behaviour(
        "fence-open", "a fence that is not closed", "instruct models without a grammar", plays.around("```json\n")
    ),
    Behaviour(
        "remark",
        "a sentence after",
        "instruct models without a grammar",
        plays.around("", "\n\nHope this helps {smile}!"),
    ),
    Behaviour(
        "draft",
        "an object that does not fit, then one that does",
        "bug reports of comparable products, 2026",
        plays.draft_then_object,
    ),
    Behaviour(
        "no-finish", "no finish reason", "pydantic-ai, openai_chat_streaming_requires_finish_reason", plays.no_finish
    ),
    Behaviour("no-done", "no [DONE]", "gateways; the mark is OpenAI's own", plays.no_done),
    Behaviour(
        "reset-after-object",
        "the connection breaks after the object",
        "proxies with a limit on time",
        plays.reset_after_object,
    ),
    Behaviour(
        "half",
        "half an object, no finish reason",
        "servers that are killed",
        plays.half_and_end,
        code="provider_unavailable",
        message="broke off",
    ),
    Behaviour(
        "length",
        "the limit of tokens",
        "OpenAI API reference, finish_reason",
        plays.cut_by_length,
        code="output_invalid",
        message="tokens: raise max_output_tokens",
    ),
    Behaviour(
        "length-thoughts",
        "thoughts up to the limit",
        "Qwen3 model card, max tokens",
        plays.thoughts_to_the_limit,
        code="output_invalid",
        message="with thoughts was cut off",
    ),
    Behaviour("length-whole", "whole at the limit", "OpenAI API reference, finish_reason", plays.whole_at_the_limit),
    Behaviour(
        "usage-totals",
        "running totals",
        _ISSUES + "pydantic/pydantic-ai/pull/4056",
        plays.usages(plays.used(11, 1), plays.used(11, 4), plays.used(11, 7)),
        tokens=(11, 7),
    ),
    Behaviour(
        "usage-falls",
        "totals that fall",
        "bug reports of comparable products, 2026",
        plays.usages(plays.used(11, 7), plays.used(11, 3)),
        tokens=(11, 7),
    ),
    Behaviour(
        "usage-null",
        "usage is null",
        "OpenAI API reference, stream_options",
        plays.usages(None, None, plays.used(11, 7)),
        tokens=(11, 7),
    ),
    Behaviour("usage-absent", "no usage", _ISSUES + "zai-org/feedback/issues/93", plays.usages(..., ...)),
    Behaviour(
        "usage-zero",
        "usage of zero",
        _ISSUES + "OpenRouterArchived/openrouter-runner/pull/64",
        plays.usages(plays.used(0, 0)),
    ),
    Behaviour(
        "deepseek",
        "json_schema refused",
        _ISSUES + "ItzCrazyKns/Vane/issues/969",
        plays.modes(plays.DEEPSEEK, "json_schema"),
        calls=2,
    ),
    Behaviour(
        "deepseek-422",
        "likewise, with 422",
        _ISSUES + "dzhng/deep-research/issues/22",
        plays.modes(plays.UNPROCESSABLE, "json_schema", "tool"),
        calls=3,
    ),
    Behaviour(
        "no-formats",
        "neither formats nor tools",
        _ISSUES + "lmstudio-ai/lmstudio-bug-tracker/issues/189",
        plays.modes(plays.LM_STUDIO, "json_schema", "tool", "json_object"),
        calls=4,
    ),
    Behaviour(
        "no-tools",
        "json_schema and tools refused",
        "Ollama, error of /v1/chat/completions",
        plays.modes(plays.NO_TOOLS, "json_schema", "tool"),
        calls=3,
    ),
    Behaviour("calls-a-tool", "a call instead of text", "Llama 3 on vLLM with auto tool choice", plays.calls_a_tool),
    Behaviour(
        "not-streamed", "stream is ignored", "bug reports of comparable products, 2026", plays.whole(), tokens=(11, 7)
    ),
    Behaviour(
        "error-with-200",
        "an error with status 200",
        "OpenRouter docs, errors and debugging",
        plays.whole(lambda _: {"error": {"code": 429, "message": "Rate limited upstream"}}),
        code="provider_rate_limited",
    ),
    Behaviour(
        "retry-unix",
        "a Unix time",
        "bug reports of comparable products, 2026",
        plays.in_an_hour,
        code="provider_rate_limited",
        retry_after=120.0,
    ),
    Behaviour(
        "retry-word",
        "a word",
        "bug reports of comparable products, 2026",
        plays.slow_down(Retry_After="soon"),
        code="provider_rate_limited",
    ),
    Behaviour(
        "retry-negative",
        "a negative number",
        "bug reports of comparable products, 2026",
        plays.slow_down(Retry_After="-1"),
        code="provider_rate_limited",
    ),
    Behaviour(
        "retry-past",
        "a date in the past",
        "bug reports of comparable products, 2026",
        plays.yesterday,
        code="provider_rate_limited",
    ),
    Behaviour(
        "retry-fraction",
        "a fraction",
        "Groq docs, rate limits",
        plays.slow_down(Retry_After="2.5"),
        code="provider_rate_limited",
        retry_after=2.5,
    ),
    Behaviour(
        "retry-duration",
        "a duration",
        "OpenAI docs, rate limit headers",
        plays.slow_down(Retry_After="1m30s"),
        code="provider_rate_limited",
        retry_after=90.0,
    ),
    Behaviour(
        "retry-ms",
        "milliseconds",
        "openai-python, _base_client",
        plays.slow_down(retry_after_ms="250"),
        code="provider_rate_limited",
        retry_after=0.25,
    ),
    Behaviour(
        "comments",
        "comments as keep-alive",
        _ISSUES + "deepnoodle-ai/dive/pull/206",
        plays.frames(": OPENROUTER PROCESSING\n\n" * 3),
    ),
    Behaviour(
        "comments-as-data",
        "comments sent as data",
        _ISSUES + "anomalyco/opencode/issues/50871",
        plays.frames("data: : keepalive\n\n"),
    ),
    Behaviour(
        "empty-events",
        "a comment and an empty event after an id",
        _ISSUES + "openai/openai-python/issues/2722",
        plays.frames("id: 7\n\n", ": ping\n\n", "data:\n\n"),
    ),
    Behaviour(
        "crlf", "lines that end with CR LF", _ISSUES + "Routstr/routstr-core/pull/543", plays.frames(": ping\r\n\r\n")
    ),
    Behaviour(
        "null-choices", "choices and delta are null", _ISSUES + "pydantic/pydantic-ai/issues/5165", plays.null_choices
    ),
    Behaviour("list-content", "content as a list of parts", "pydantic-ai, split_content_parts", plays.list_content),
    Behaviour(
        "filtered", "the provider's filter", "Azure docs, content filtering", plays.filtered, code="content_refused"
    ),
    Behaviour(
        "no-v1",
        "an address without /v1",
        "bug reports of comparable products, 2026",
        plays.refused("404 Not Found", {"error": "Not found"}),
        code="provider_unavailable",
        message="seems to lack /v1",
        retryable=False,
        path="",
    ),
    Behaviour(
        "no-v1-lm-studio",
        "likewise, with status 200",
        _ISSUES + "lmstudio-ai/lmstudio-bug-tracker/issues",
        plays.whole(lambda _: {"error": "Unexpected endpoint or method. (POST /chat/completions)"}),
        code="provider_unavailable",
        message="seems to lack /v1",
        retryable=False,
        path="",
    ),
    Behaviour(
        "no-v1-page",
        "likewise, a page for people",
        "Open WebUI, llama.cpp server",
        plays.page,
        code="provider_unavailable",
        message="seems to lack /v1",
        retryable=False,
        path="",
    ),
)
BEHAVIOURS: Mapping[str, Behaviour] = {row.name: row for row in ROWS}


class Zoo(OpenAIServer):
    """The server; `exchanges` are the requests."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = [self._play]

    async def _play(self, exchange: Exchange) -> None:
        behaviour = BEHAVIOURS[exchange.body["model"]]
        schemas = openai.schemas(exchange.body)
        schema = schemas[0][2] if schemas else _schema_in_words(exchange.body)
        await behaviour.play(exchange, answer_for(schema, len(self.exchanges)))


def _schema_in_words(body: Mapping[str, Any]) -> dict[str, Any]:
    told = next(message["content"] for message in body["messages"] if message["role"] == "system")
    return json.loads(told[told.index("\n{") :])
