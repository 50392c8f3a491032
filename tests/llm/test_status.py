"""Errors and events on the wire: what goes in comes out."""

from __future__ import annotations

from typing import get_args

from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

from loresmith.llm.errors import RETRYABLE_CODES, ErrorCode, GenerationError
from loresmith.llm.pb import lore_pb2
from loresmith.llm.port import FieldsDone, Final, GenerationRequest, Partial, Usage
from loresmith.llm.status import STATUS_OF, details_of, error_of
from loresmith.llm.wire import (
    Queued,
    event_from_wire,
    event_to_wire,
    request_from_wire,
    request_to_wire,
)

codes = st.sampled_from(get_args(ErrorCode))
counts = st.integers(0, 2**31)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
costs = st.none() | st.floats(0, 100)


def test_each_code_has_a_status() -> None:
    assert set(STATUS_OF) == set(get_args(ErrorCode))


@given(codes, texts, st.booleans(), st.none() | st.integers(0, 10**7).map(lambda ms: ms / 1000))
def test_an_error_survives_the_wire(code: ErrorCode, message: str, retryable: bool, delay: float | None) -> None:
    sent = GenerationError(code, message, retryable=retryable, retry_after_seconds=delay)
    came = error_of(details_of(sent))
    assert came is not None
    assert (came.code, came.message, came.retryable) == (code, message, retryable)
    assert came.retry_after_seconds == delay


@given(codes)
def test_whether_an_error_is_retryable_follows_its_code(code: ErrorCode) -> None:
    assert GenerationError(code, "no").retryable == (code in RETRYABLE_CODES)


def test_details_of_others_are_not_ours() -> None:
    assert error_of(Status(code=13, message="no").SerializeToString()) is None


@given(
    st.one_of(
        st.just(Queued()),
        st.builds(FieldsDone, counts, counts, counts, counts, costs),
        st.builds(Partial, texts),
        st.builds(Final, texts),
        st.builds(Usage, texts, counts, counts, costs),
    )
)
def test_an_event_survives_the_wire(event: FieldsDone | Partial | Final | Usage | Queued) -> None:
    assert event_from_wire(event_to_wire(event)) == event


def test_an_event_of_a_newer_service_is_ignored() -> None:
    assert event_from_wire(lore_pb2.GenerationEvent()) is None


@given(
    st.builds(
        GenerationRequest,
        texts,
        texts,
        st.dictionaries(texts, st.integers()),
        st.text("abc", min_size=1),
        st.integers(1, 2**31),
        st.none() | st.floats(0, 2),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        texts,
        texts,
        texts,
    )
)
def test_a_request_survives_the_wire(request: GenerationRequest) -> None:
    assert request_from_wire(request_to_wire(request)) == request
