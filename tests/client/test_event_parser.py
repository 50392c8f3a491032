"""Server-sent events, read as the specification says (WHATWG HTML, 9.2.6), however they are cut into chunks."""

import pytest

from loresmith.client import event_parser
from loresmith.client.event_parser import EventParser, ServerEvent

CASES = {
    "event with all fields": (b"event: a\nid: 7\ndata: x\n\n", [ServerEvent("a", "x", "7")]),
    "no name is message": (b"data: x\n\n", [ServerEvent("message", "x")]),
    "data over several lines": (b"data: x\ndata:y\ndata\n\n", [ServerEvent("message", "x\ny\n")]),
    "one space is taken off": (b"data:  x\n\n", [ServerEvent("message", " x")]),
    "comments are none": (b": still here\n\ndata: x\n:\n\n", [ServerEvent("message", "x")]),
    "no data is no event": (b"event: a\nid: 3\n\ndata: x\n\n", [ServerEvent("message", "x", "3")]),
    "an id stays": (
        b"id: 3\ndata: x\n\ndata: y\n\n",
        [ServerEvent("message", "x", "3"), ServerEvent("message", "y", "3")],
    ),
    "an id with a null is none": (b"id: 1\0\ndata: x\n\n", [ServerEvent("message", "x")]),
    "an unknown field is passed over": (b"colour: red\ndata: x\n\n", [ServerEvent("message", "x")]),
    "the last one has no end": (b"data: x\n\ndata: y\n", [ServerEvent("message", "x")]),
    "carriage returns": (b"data: x\r\rdata: y\r\r", [ServerEvent("message", "x"), ServerEvent("message", "y")]),
    "both": (b"data: x\r\n\r\nevent: a\r\ndata: y\r\n\r\n", [ServerEvent("message", "x"), ServerEvent("a", "y")]),
    "a byte order mark": ("\ufeffdata: x\n\n".encode(), [ServerEvent("message", "x")]),
    "letters of several bytes": ("data: Björn 🙂\u2028\n\n".encode(), [ServerEvent("message", "Björn 🙂\u2028")]),
}


@pytest.mark.parametrize(("text", "events"), CASES.values(), ids=CASES)
def test_a_stream_is_read_alike_however_it_is_cut(text: bytes, events: list[ServerEvent]) -> None:
    assert EventParser().feed(text) == events
    for cut in range(len(text) + 1):
        parser = EventParser()
        assert parser.feed(text[:cut]) + parser.feed(text[cut:]) == events
    one_by_one = EventParser()
    assert [told for at in range(len(text)) for told in one_by_one.feed(text[at : at + 1])] == events


def test_the_time_to_reconnect_is_taken_if_it_is_a_number() -> None:
    parser = EventParser()
    parser.feed(b"retry: 1500\nretry: soon\nretry: -1\n")
    assert parser.retry_seconds == 1.5


def test_an_event_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_parser, "MOST_EVENT_BYTES", 100)
    parser = EventParser()
    assert len(parser.feed(b"data: x\n\n" * 11)) == 11
    assert len(parser.feed(b"data: x\n\n" * 11)) == 11, "many small ones are no large one"
    with pytest.raises(ValueError, match="more than 100 bytes"):
        parser.feed(b"data: " + b"x" * 100)
