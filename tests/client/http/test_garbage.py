"""Garbage in any layer of a response makes a `RunsteadError` with a short, printable text, and no other error."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runstead.client.http.incoming import EventReader, advice, content_head, error_of, object_of, poll_after
from runstead.client.http.server_text import MAX_SHOWN, TextSanitizer
from runstead.client.streams.snapshots import Snapshots
from runstead.client.streams.stream_position import StreamPosition
from runstead.client.streams.text_deltas import TextDeltas
from runstead.wire.assistant import Assistant
from runstead.wire.error import RunsteadError
from runstead.wire.event import Event, EventName
from runstead.wire.message import Message
from runstead.wire.page import Page
from runstead.wire.run import Run, RunRequest
from runstead.wire.run_step import RunStep
from tests.client import samples
from tests.client.both import CLIENTS, Caller
from tests.client.samples import ASSISTANT_ID, RUN_ID, RUN_PATH, RUNS_PATH, THREAD_ID
from tests.client.wire_server import Raw, WireServer, event

SECRET = "sk-a-secret-of-the-client"
REQUEST = RunRequest(assistant_id=ASSISTANT_ID)
SHOWN = TextSanitizer([SECRET])
KINDS = st.sampled_from([Run, Message, Assistant, RunStep, Page[Run]])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
OBJECTS = {
    "run": samples.run(),
    "message": samples.message(),
    "delta": samples.delta("x"),
    "step": samples.step(),
    "assistant": samples.assistant(),
}


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """An object with some values replaced, or its bytes damaged, or no object at all."""
    whole = json.loads(json.dumps(OBJECTS[draw(st.sampled_from(sorted(OBJECTS)))]))
    for name in draw(st.lists(st.sampled_from(sorted(whole)), max_size=2)):
        whole[name] = draw(JSON)
    body = json.dumps(whole).encode()
    at = draw(st.integers(0, len(body)))
    return draw(st.sampled_from([body, body[:at], body[:at] + draw(st.binary(max_size=3)) + body[at:], body[at:]]))


FRAMES = st.builds(
    lambda name, data, id: b"id: %b\nevent: %b\ndata: %b\n\n" % (id, name, data),
    st.sampled_from([each.encode() for each in EventName]) | st.binary(max_size=8),
    bodies(),
    st.sampled_from([b"1", b"1.1", b"x", b"\xff"]) | st.binary(max_size=4),
)
CHUNKS = st.lists(FRAMES | st.binary(max_size=20), max_size=6)
VALUES = st.sampled_from([b"", b"1", b"-1", b"nan", b"1e999", b"9" * 5000, b"\xb2", b"true"]) | st.binary(max_size=9)
NAMES = [
    b"retry-after", b"retry-after-ms", b"openai-poll-after-ms", b"x-should-retry", b"x-request-id", b"location",
    b"content-length", b"content-type", b"content-disposition",
]  # fmt: skip
HEADERS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=4)


def check(error: RunsteadError) -> None:
    """The error may be shown."""
    text = str(error)
    assert len(text) <= MAX_SHOWN + 200
    assert SECRET not in text
    assert not any(ord(character) < 32 or character == "\x7f" for character in text)


@given(KINDS, bodies() | st.binary(max_size=40))
def test_a_body_is_an_object_or_an_error(kind: Any, body: bytes) -> None:
    try:
        object_of(kind, body, SHOWN)
    except RunsteadError as error:
        check(error)


@given(
    st.integers(300, 599),
    HEADERS,
    bodies() | st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()),
)
def test_an_error_response_is_an_api_error(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    error = error_of(status, headers, body, SHOWN)
    check(error)
    assert error.status == status
    for text in (error.param, error.code, error.request_id):
        check(RunsteadError(text or ""))


@given(HEADERS)
def test_headers_give_numbers_within_bounds_or_none(headers: list[tuple[bytes, bytes]]) -> None:
    delay = advice(429, headers).retry_after
    assert delay is None or 0 <= delay < float("inf")
    pause = poll_after(headers)
    assert pause is None or 0 < pause <= 60
    head = content_head(headers)
    assert head.size is None or head.size >= 0
    assert head.file_name is None or "/" not in head.file_name


@given(CHUNKS)
def test_a_stream_is_events_or_an_error_in_all_that_reads_it(chunks: list[bytes]) -> None:
    reader, position, texts, snapshots = EventReader(SHOWN), StreamPosition(), TextDeltas(), Snapshots()
    try:
        for chunk in chunks:
            for found in reader.feed(chunk):
                read_event(found, position, texts, snapshots)
        reader.end()
    except RunsteadError as error:
        check(error)


def read_event(found: Event, position: StreamPosition, texts: TextDeltas, snapshots: Snapshots) -> None:
    position.resume()
    position.advance(found)
    list(texts.new_text(found))
    snapshots.apply(found)
    assert len(snapshots.messages) + len(snapshots.steps) >= 0


@pytest.mark.parametrize("call", CLIENTS.values(), ids=CLIENTS)
@given(
    head=st.binary(max_size=30)
    | st.sampled_from([b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 429 X\r\n\r\n", b"HTTP/1.1 "]),
    body=bodies() | st.lists(FRAMES, max_size=3).map(b"".join) | st.binary(max_size=30),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_of_a_socket_are_an_object_or_an_error(
    call: Caller, server: WireServer, head: bytes, body: bytes
) -> None:
    server.on("GET", RUN_PATH, Raw(head + body))
    server.on("POST", RUNS_PATH, Raw.events(event("thread.run.created", samples.run(), "1") + body))
    with suppress(RunsteadError):
        call(server.url, lambda client: client.get_run(THREAD_ID, RUN_ID), max_retries=0, timeout=5.0)
    with suppress(RunsteadError):
        call(server.url, lambda client: client.create_streaming_run(THREAD_ID, REQUEST), max_retries=0)
