from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GenerateRequest(_message.Message):
    __slots__ = ("instructions", "prompt", "json_schema", "schema_name", "limits", "temperature", "seed", "job_id", "purpose", "owner")
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_NAME_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    instructions: str
    prompt: str
    json_schema: str
    schema_name: str
    limits: Limits
    temperature: float
    seed: int
    job_id: str
    purpose: str
    owner: str
    def __init__(self, instructions: _Optional[str] = ..., prompt: _Optional[str] = ..., json_schema: _Optional[str] = ..., schema_name: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., temperature: _Optional[float] = ..., seed: _Optional[int] = ..., job_id: _Optional[str] = ..., purpose: _Optional[str] = ..., owner: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("max_output_tokens", "repairs")
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REPAIRS_FIELD_NUMBER: _ClassVar[int]
    max_output_tokens: int
    repairs: int
    def __init__(self, max_output_tokens: _Optional[int] = ..., repairs: _Optional[int] = ...) -> None: ...

class GenerationEvent(_message.Message):
    __slots__ = ("queued", "progress", "partial", "final", "usage")
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    queued: Queued
    progress: Progress
    partial: Partial
    final: Final
    usage: Usage
    def __init__(self, queued: _Optional[_Union[Queued, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., partial: _Optional[_Union[Partial, _Mapping]] = ..., final: _Optional[_Union[Final, _Mapping]] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ...) -> None: ...

class Queued(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Progress(_message.Message):
    __slots__ = ("fields_done", "fields_total", "output_tokens", "input_tokens", "cost_usd")
    FIELDS_DONE_FIELD_NUMBER: _ClassVar[int]
    FIELDS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_USD_FIELD_NUMBER: _ClassVar[int]
    fields_done: int
    fields_total: int
    output_tokens: int
    input_tokens: int
    cost_usd: float
    def __init__(self, fields_done: _Optional[int] = ..., fields_total: _Optional[int] = ..., output_tokens: _Optional[int] = ..., input_tokens: _Optional[int] = ..., cost_usd: _Optional[float] = ...) -> None: ...

class Partial(_message.Message):
    __slots__ = ("json",)
    JSON_FIELD_NUMBER: _ClassVar[int]
    json: str
    def __init__(self, json: _Optional[str] = ...) -> None: ...

class Final(_message.Message):
    __slots__ = ("json",)
    JSON_FIELD_NUMBER: _ClassVar[int]
    json: str
    def __init__(self, json: _Optional[str] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("model", "input_tokens", "output_tokens", "cost_usd")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_USD_FIELD_NUMBER: _ClassVar[int]
    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: float
    def __init__(self, model: _Optional[str] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cost_usd: _Optional[float] = ...) -> None: ...

class DescribeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("model", "streams_fields", "concurrent_calls", "fallbacks", "guided")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELDS_FIELD_NUMBER: _ClassVar[int]
    CONCURRENT_CALLS_FIELD_NUMBER: _ClassVar[int]
    FALLBACKS_FIELD_NUMBER: _ClassVar[int]
    GUIDED_FIELD_NUMBER: _ClassVar[int]
    model: str
    streams_fields: bool
    concurrent_calls: int
    fallbacks: _containers.RepeatedScalarFieldContainer[str]
    guided: bool
    def __init__(self, model: _Optional[str] = ..., streams_fields: _Optional[bool] = ..., concurrent_calls: _Optional[int] = ..., fallbacks: _Optional[_Iterable[str]] = ..., guided: _Optional[bool] = ...) -> None: ...
