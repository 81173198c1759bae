"""A hostile server costs a bounded time and a bounded memory, and every failure is a `RunsteadError`."""

import gzip
import json
import re
import traceback
import tracemalloc
from typing import Any

import msgspec
import pytest

from runstead.client.http.read_limits import MAX_HEAD
from runstead.wire.error import ApiError, BadRequest, RunsteadError, ServerError, Unreachable, WaitTimeout
from runstead.wire.run import Run, RunRequest
from tests.client import samples
from tests.client.both import CLIENTS, Caller
from tests.client.samples import ASSISTANT_ID, EVENTS_PATH, RUN_ID, RUN_PATH, RUNS_PATH, THREAD_ID
from tests.client.wire_server import Disconnect, Raw, Response, Script, Stream, WireServer, event

THREAD_PATH = f"/threads/{THREAD_ID}"
KEY = "sk-very-secret-key"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CREATED = event("thread.run.created", samples.run(), "1")
DEEP = b'{"a":' * 2000 + b"1" + b"}" * 2000
TOOL = '{"type":"function","function":{"name":"f","parameters":%s}}'


def get_thread(client: Any) -> Any:
    return client.get_thread(THREAD_ID)


def get_run(client: Any) -> Any:
    return client.get_run(THREAD_ID, RUN_ID)


def run_events(client: Any) -> Any:
    return client.run_events(THREAD_ID, RUN_ID)


def create_run(client: Any) -> Any:
    return client.create_streaming_run(THREAD_ID, RunRequest(assistant_id=ASSISTANT_ID))


@pytest.fixture(params=CLIENTS)
def call(request: pytest.FixtureRequest) -> Caller:
    return CLIENTS[request.param]


def with_tool(parameters: str) -> bytes:
    """A run with a tool whose parameters are this JSON."""
    return json.dumps(samples.run(tools=["TOOL"])).replace('"TOOL"', TOOL % parameters).encode()


@pytest.mark.parametrize(
    "script",
    [
        Raw(HEAD + b"\r\n", b" ", 0.02),
        Raw(HEAD, b"x", 0.02),
        Raw(b"", b"HTTP/1.1 102 Processing\r\n\r\n", 0.02),
        Raw(HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0.02),
        Raw(HEAD + b"transfer-encoding: chunked\r\n\r\n1", b";x=1", 0.02),
        Raw(b"HTTP/1.1 500 X\r\n\r\n", b"x", 0.02),
    ],
    ids=["body", "header", "1xx", "chunks", "chunk extension", "error"],
)
def test_a_server_that_drips_ends_in_the_timeout_of_the_call(call: Caller, server: WireServer, script: Script) -> None:
    server.on("GET", THREAD_PATH, script)
    with pytest.raises(Unreachable, match="in time"):
        call(server.url, get_thread, timeout=0.3)
    assert server.calls == [f"GET {THREAD_PATH}"]


def test_retries_and_their_pauses_are_part_of_the_timeout(call: Caller, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Response.error(503, retry_after="50"))
    with pytest.raises(ServerError):
        call(server.url, get_thread, timeout=5.0)
    assert len(server.seen) == 1


@pytest.fixture
def two_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams that are resumed once, which takes half a second instead of half a minute."""
    for name in ("_sync", "_async"):
        monkeypatch.setattr(f"runstead.client.{name}.reconnect.MAX_FAILURES", 1)


@pytest.mark.usefixtures("two_connections")
def test_a_stream_whose_head_drips_ends_in_the_timeout(call: Caller, server: WireServer) -> None:
    server.on("GET", EVENTS_PATH, Raw(b"HTTP/1.1 200 OK\r\n", b"x", 0.02))
    with pytest.raises(Unreachable, match="in time"):
        call(server.url, lambda client: client.run_events(THREAD_ID, RUN_ID, after="1"), timeout=0.3, max_retries=0)


@pytest.mark.parametrize("repeated", [b"x", b": ping\n"], ids=["a line without end", "pings"])
def test_a_wait_ends_at_its_timeout_though_a_stream_drips(call: Caller, server: WireServer, repeated: bytes) -> None:
    server.on("GET", RUN_PATH, Response.of(samples.run()))
    server.on("GET", EVENTS_PATH, Raw.events(CREATED, repeated, 0.02))
    with pytest.raises(WaitTimeout):
        call(server.url, lambda client: client.wait(_run(samples.run()), timeout=0.3))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams that may be silent for a fifth of a second, and are not resumed."""
    for name in ("_sync", "_async"):
        monkeypatch.setattr(f"runstead.client.{name}.http.STREAM_SILENCE", 0.2)
        monkeypatch.setattr(f"runstead.client.{name}.reconnect.MAX_FAILURES", 0)


@pytest.mark.usefixtures("impatient")
def test_a_stream_that_never_completes_a_line_is_silent(call: Caller, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Raw.events(CREATED, b"x", 0.05))
    with pytest.raises(Unreachable, match="in time"):
        call(server.url, create_run)


@pytest.mark.usefixtures("impatient")
def test_a_stream_may_be_without_events_as_long_as_it_has_lines(call: Caller, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Raw.events(CREATED, b": still here\n", 0.05))
    with pytest.raises(WaitTimeout):
        call(server.url, lambda client: client.drive(THREAD_ID, request(), [], timeout=0.6))
    assert server.calls == [f"POST {RUNS_PATH}"]


def request() -> RunRequest:
    return RunRequest(assistant_id=ASSISTANT_ID, tools=[])


def _run(values: dict[str, Any]) -> Run:
    return msgspec.convert(values, Run)


@pytest.mark.parametrize(
    "script",
    [
        Raw(HEAD + b"\r\n", b" " * 65536),
        Raw(HEAD + b"content-length: 999999999999999999\r\n\r\n", b" " * 65536),
        Raw(HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 1000),
    ],
    ids=["no length", "content-length", "chunks of a byte"],
)
def test_a_response_above_the_limit_is_not_read(call: Caller, server: WireServer, script: Script) -> None:
    server.on("GET", THREAD_PATH, script)
    with pytest.raises(ServerError, match="more than 100,000 bytes"):
        call(server.url, get_thread, max_response=100_000)


@pytest.mark.parametrize("repeated", [b"x" * 1000, b"data: x\n" * 100], ids=["a line", "lines"])
def test_an_event_above_the_limit_ends_its_stream(call: Caller, server: WireServer, repeated: bytes) -> None:
    server.on("GET", EVENTS_PATH, Raw.events(b"", repeated))
    with pytest.raises(ServerError, match="an event of more than 100,000 bytes"):
        call(server.url, run_events, max_response=100_000)


@pytest.mark.parametrize(
    "repeated", [b"HTTP/1.1 102 Processing\r\n\r\n" * 100, b"x" * 1000], ids=["1xx responses", "a header"]
)
def test_endless_heads_are_not_read(call: Caller, server: WireServer, repeated: bytes) -> None:
    server.on("GET", THREAD_PATH, Raw(b"HTTP/1.1 102 Processing\r\nx: ", repeated))
    with pytest.raises(Unreachable, match="broke"):
        call(server.url, get_thread, max_retries=0)


def test_the_memory_of_refused_responses_is_bounded(call: Caller, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Raw(b"HTTP/1.1 400 X\r\ntransfer-encoding: chunked\r\n\r\n", b"2\r\nxx\r\n" * 10_000))
    tracemalloc.start()
    try:
        with pytest.raises(BadRequest):
            call(server.url, get_thread)
        assert tracemalloc.get_traced_memory()[1] < 16 * MAX_HEAD
    finally:
        tracemalloc.stop()


def test_the_text_of_an_error_is_cut(call: Caller, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Response.error(400, "x" * 50_000, x_request_id="r" * 5000))
    with pytest.raises(BadRequest) as raised:
        call(server.url, get_thread)
    assert len(raised.value.message) < 5000
    assert len(raised.value.request_id or "") < 500


@pytest.mark.parametrize(
    "script",
    [
        Response.error(401, f"No\x1b[2J key \u202e {KEY}\r\nERROR forged\x9b"),
        Response(f"\x1b[2J{KEY}".encode(), 401),
        Response(b"", 401, {"x-request-id": f"{KEY}\t"}),
        Response(b"", 307, {"location": f"http://elsewhere/?key={KEY}"}),
        Response(f"\x1b {KEY}".encode()),
        Response(json.dumps({"id": "x", "object": f"\x1b{KEY}"}).encode()),
        Raw(f"HTTP/1.1 200 OK\r\n{KEY}\r\n\r\n".encode()),
        Raw(f"{KEY} \x1b[2J\r\n\r\n".encode()),
        Raw(HEAD + f"content-length: {KEY}\r\n\r\n".encode()),
    ],
    ids=["json", "text", "request id", "redirect", "no json", "no thread", "header", "status line", "length"],
)
def test_an_error_shows_neither_the_key_nor_control_characters(
    call: Caller, server: WireServer, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    server.on("GET", THREAD_PATH, script)
    with pytest.raises(RunsteadError) as raised:
        call(server.url, get_thread, api_key=KEY, max_retries=0)
    shown = [*traceback.format_exception(raised.value), repr(raised.value), str(vars(raised.value))]
    assert not [text for text in shown if KEY in text or re.search("[\x1b\x9b\u202e]", text)]
    assert "\n" not in str(raised.value)
    assert KEY not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("runstead"))


def test_an_error_event_shows_neither_the_key_nor_control_characters(call: Caller, server: WireServer) -> None:
    error = {"message": f"\x1b[2J{KEY}", "type": "server_error", "param": None, "code": f"\x1b{KEY}"}
    server.on("GET", EVENTS_PATH, Stream.of(event("error", {"error": error})))
    with pytest.raises(ServerError) as raised:
        call(server.url, run_events, api_key=KEY)
    assert (raised.value.message, raised.value.code) == ("\\x1b[2J[secret]", "\\x1b[secret]")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed(call: Caller, server: WireServer, status: int) -> None:
    with WireServer().running() as other:
        server.on("GET", THREAD_PATH, Response(b"", status, {"location": other.url + "/v1" + THREAD_PATH}))
        with pytest.raises(BadRequest, match="connect to that URL"):
            call(server.url, get_thread, api_key=KEY)
        assert not other.seen


NO_OBJECTS = {
    "not utf-8": b'{"id":"\xff"}',
    "deep": DEEP,
    "deep ignored field": json.dumps(samples.run()).encode()[:-1] + b',"new":' + DEEP + b"}",
    "deep parameters": with_tool(DEEP.decode()),
    "deep, but not for the decoder": with_tool('{"a":' * 300 + "1" + "}" * 300),
    "a huge number": with_tool('{"a":' + "9" * 6000 + "}"),
    "half a character": b'{"id":"\\ud800"}',
    "gzip": gzip.compress(b"x" * 100_000),
    "nothing": b"",
    "null": b"null",
    "half": json.dumps(samples.run()).encode()[:-9],
}


@pytest.mark.parametrize("body", NO_OBJECTS.values(), ids=NO_OBJECTS.keys())
def test_a_response_that_is_no_object_is_a_server_error(call: Caller, server: WireServer, body: bytes) -> None:
    server.on("GET", RUN_PATH, Response(body))
    with pytest.raises(ServerError):
        call(server.url, get_run)


@pytest.mark.parametrize("body", NO_OBJECTS.values(), ids=NO_OBJECTS.keys())
def test_an_event_that_is_no_object_is_a_server_error(call: Caller, server: WireServer, body: bytes) -> None:
    data = body.replace(b"\n", b"").replace(b"\r", b"")
    server.on("GET", EVENTS_PATH, Stream.of(b"event: thread.run.created\ndata: %b\n\n" % data))
    with pytest.raises(ServerError):
        call(server.url, run_events)


@pytest.mark.parametrize("body", NO_OBJECTS.values(), ids=NO_OBJECTS.keys())
def test_an_error_that_is_no_object_has_its_status(call: Caller, server: WireServer, body: bytes) -> None:
    server.on("GET", RUN_PATH, Response(body, 418))
    with pytest.raises(ApiError) as raised:
        call(server.url, get_run)
    assert raised.value.status == 418


def test_nesting_that_a_server_accepts_is_accepted(call: Caller, server: WireServer) -> None:
    run = with_tool('{"a":' * 120 + "1" + "}" * 120)
    server.on("GET", RUNS_PATH, Response(b'{"object":"list","data":[' + run + b"]}"))
    assert len(call(server.url, lambda client: client.runs(THREAD_ID)).data) == 1


@pytest.mark.parametrize(
    "headers",
    [
        b"retry-after: " + b"9" * 5000,
        b"retry-after: nan",
        b"retry-after: \xb2",
        b"retry-after-ms: 1e999",
        b"openai-poll-after-ms: -1",
        b"x-should-retry: \xff",
        b"content-length: 1_0",
        b"content-length: " + b"0" * 5000 + b"2",
        b"content-length: \xb2",
        b"content-length: -1",
        b"transfer-encoding: gzip, chunked",
        b"x" * 90_000 + b": 1",
        b": 1",
        b" folded",
    ],
)
def test_odd_headers_raise_no_other_error(call: Caller, server: WireServer, headers: bytes) -> None:
    for status in (b"200", b"429"):
        server.on("GET", THREAD_PATH, Raw(b"HTTP/1.1 %b X\r\n%b\r\n\r\n{}" % (status, headers)))
        with pytest.raises(RunsteadError):
            call(server.url, get_thread, max_retries=0)


@pytest.mark.parametrize(
    "line",
    [b"HTTP/1.1 999 X", b"HTTP/1.1 000 X", b"HTTP/1.1 101 X", b"HTTP/1.1 99 X", b"HTTP/9.9 200", b"ICY 200 OK", b"\0"],
)
def test_odd_status_lines_raise_no_other_error(call: Caller, server: WireServer, line: bytes) -> None:
    server.on("GET", THREAD_PATH, Raw(line + b"\r\n\r\n{}"))
    with pytest.raises(RunsteadError):
        call(server.url, get_thread, max_retries=0)


def test_a_poll_interval_of_days_is_not_waited_for(call: Caller, server: WireServer) -> None:
    ended = Response.of(samples.run("completed"))
    going = Response.of(samples.run(), openai_poll_after_ms="1e300")
    server.on("GET", EVENTS_PATH, Response.error(404))
    server.on("GET", RUN_PATH, going, going, ended)
    with pytest.raises(WaitTimeout):
        call(server.url, lambda client: client.wait(_run(samples.run()), timeout=0.2))


@pytest.mark.usefixtures("two_connections")
def test_ids_that_are_no_positions_do_not_break_a_resumed_stream(call: Caller, server: WireServer) -> None:
    odd = event("thread.run.in_progress", samples.run("in_progress"), "x" * 10)
    server.on("POST", RUNS_PATH, Stream.of(odd, cut=True))
    server.on("GET", EVENTS_PATH, Stream.of(odd))
    with pytest.raises(ServerError, match="cannot be resumed"):
        call(server.url, create_run)


def test_a_stream_is_not_resumed_from_an_id_that_fills_the_address(call: Caller, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(event("thread.run.created", samples.run(), "9" * 60_000), cut=True))
    with pytest.raises(Unreachable, match="cannot be resumed"):
        call(server.url, create_run)
    assert server.calls == [f"POST {RUNS_PATH}"]


def test_events_after_the_end_of_a_stream_are_not_delivered(call: Caller, server: WireServer) -> None:
    done = event("thread.run.completed", samples.run("completed"), "2") + b"event: done\ndata: [DONE]\n\n"
    server.on("GET", EVENTS_PATH, Raw.events(CREATED + done, CREATED, 0.01))
    assert [each.id for each in call(server.url, run_events)] == ["1", "2"]


def test_a_server_that_disconnects_every_time_is_unreachable(call: Caller, server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Disconnect())
    with pytest.raises(Unreachable):
        call(server.url, get_thread, max_retries=1)
