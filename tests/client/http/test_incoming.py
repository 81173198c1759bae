"""Frames and headers are decoded in every form in which servers send them."""

import pytest

from runstead.client.http.incoming import EventReader, advice, poll_after
from runstead.client.http.server_text import TextSanitizer
from runstead.wire.error import ServerError, Unreachable
from tests.client import samples
from tests.client.wire_server import DONE, event

STREAM = b"".join(
    [
        event("thread.run.created", samples.run(), "1"),
        b": ping\n",
        event("thread.message.delta", samples.delta("tschüß"), "1.1"),
        event("thread.run.completed", samples.run("completed"), "2"),
        DONE,
    ]
)


@pytest.mark.parametrize("size", [1, 2, 7, 64, len(STREAM)])
def test_events_do_not_depend_on_how_the_bytes_are_split(size: int) -> None:
    reader = EventReader(TextSanitizer())
    chunks = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    events = [got for chunk in chunks for got in reader.feed(chunk)]
    assert [got.id for got in events] == ["1", "1.1", "2"]
    assert reader.done
    reader.end()


def test_events_after_done_are_ignored() -> None:
    reader = EventReader(TextSanitizer())
    assert reader.feed(DONE + event("thread.run.created", samples.run())) == []


@pytest.mark.parametrize("name", ["completed", "failed", "cancelled", "expired", "incomplete", "requires_action"])
def test_a_stream_is_complete_once_the_run_has_paused(name: str) -> None:
    reader = EventReader(TextSanitizer())
    reader.feed(event(f"thread.run.{name}", samples.run(name)))
    reader.end()


@pytest.mark.parametrize("frames", [b"", event("thread.run.created", samples.run()), event("strange", {})])
def test_a_stream_is_incomplete_before_that(frames: bytes) -> None:
    reader = EventReader(TextSanitizer())
    reader.feed(frames)
    with pytest.raises(Unreachable):
        reader.end()


def test_an_event_that_is_not_json_is_an_error_that_shows_it() -> None:
    with pytest.raises(ServerError, match="thread.run.created.*not JSON.*<html>"):
        EventReader(TextSanitizer()).feed(b"event: thread.run.created\ndata: <html>\n\n")


@pytest.mark.parametrize(
    ("name", "value", "seconds"),
    [
        (b"retry-after", b"2", 2.0),
        (b"Retry-After", b"0.5", 0.5),
        (b"retry-after-ms", b"250", 0.25),
        (b"retry-after", b"Wed, 21 Oct 2026 07:28:00 GMT", None),
        (b"retry-after", b"-1", None),
        (b"retry-after", b"nan", None),
        (b"retry-after", b"inf", None),
        (b"retry-after", b"", None),
    ],
)
def test_retry_after_is_a_number_of_seconds(name: bytes, value: bytes, seconds: float | None) -> None:
    assert advice(429, [(name, value)]).retry_after == seconds


@pytest.mark.parametrize(("value", "word"), [(b"true", True), (b"false", False), (b"TRUE ", True)])
def test_x_should_retry_is_true_or_false(value: bytes, *, word: bool) -> None:
    assert advice(500, [(b"X-Should-Retry", value)]).should_retry is word


def test_without_headers_there_is_no_advice() -> None:
    assert advice(500, []) == (500, None, None)
    assert poll_after([]) is None


def test_the_poll_interval_is_in_milliseconds() -> None:
    assert poll_after([(b"openai-poll-after-ms", b"1500")]) == 1.5
