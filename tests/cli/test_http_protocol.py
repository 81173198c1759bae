"""Invalid HTTP and endless heads are refused with errors of the API."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from runstead.cli.http_protocol import HEAD_LIMIT
from tests.cli.conftest import Serve
from tests.support.waiting import PATIENCE

Dial = Callable[[], socket.socket]
GET = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = b"POST /v1/threads HTTP/1.1\r\nHost: 127.0.0.1\r\nOpenAI-Beta: assistants=v2\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def dial(serve: Serve) -> Iterator[Dial]:
    """Opens connections to a server."""
    host, port = serve().url.removeprefix("http://").split(":")
    with ExitStack() as closing:
        yield lambda: closing.enter_context(socket.create_connection((host, int(port)), PATIENCE))


def everything(connection: socket.socket) -> bytes:
    """All bytes until the server closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def refusal(answer: bytes, status: bytes) -> str:
    """The message of a reply that is a complete error of the API and ends the connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.lower().split(b"\r\n")
    assert first.startswith(b"http/1.1 " + status)
    assert {b"content-type: application/json", b"content-length: %d" % len(body), b"connection: close"} <= {*lines}
    error = json.loads(body)["error"]
    message: str = error.pop("message")
    assert error == {"type": "invalid_request_error", "param": None, "code": None}
    return message


def padded(size: int) -> bytes:
    """A request with a head of this size."""
    rest = GET + b"Connection: close\r\nX: \r\n\r\n"
    return rest.replace(b"X: ", b"X: " + b"x" * (size - len(rest)))


def test_bytes_that_are_not_http_are_refused(dial: Dial) -> None:
    connection = dial()
    connection.sendall(b"Good morning!\r\n\r\n")
    assert refusal(everything(connection), b"400 ") == "Invalid HTTP request received."


def test_an_invalid_chunked_body_is_refused(dial: Dial) -> None:
    connection = dial()
    connection.sendall(CHUNKED + b"2\r\n{}\r\nmore\r\n")
    assert refusal(everything(connection), b"400 ")


def test_a_head_at_the_limit_is_accepted(dial: Dial) -> None:
    connection = dial()
    connection.sendall(padded(HEAD_LIMIT))
    assert everything(connection).startswith(b"HTTP/1.1 200 ")


def test_a_head_over_the_limit_is_refused(dial: Dial) -> None:
    connection = dial()
    connection.sendall(padded(HEAD_LIMIT + 1))
    assert str(HEAD_LIMIT) in refusal(everything(connection), b"431 ")


@pytest.mark.parametrize(
    ("allowed", "pages"),
    [
        (
            "https://a.example.com, http://b.example.com",
            {b"https://a.example.com": True, b"https://c": False, b"": False},
        ),
        ("https://a.example.com", {b"https://a.example.com": True, b"": True}),
        ("", {b"https://a.example.com": False}),
    ],
)
def test_pages_of_allowed_origins_can_read_a_refusal(
    serve: Serve, allowed: str, pages: dict[bytes, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The origin may be behind what was read of the head. If there is only one allowed origin, it is named then."""
    monkeypatch.setenv("RUNSTEAD_ALLOWED_ORIGINS", allowed)
    host, port = serve().url.removeprefix("http://").split(":")
    cors = b"\r\naccess-control-allow-origin: https://a.example.com\r\nvary: origin\r\n"
    for origin, named in pages.items():
        with socket.create_connection((host, int(port)), PATIENCE) as connection:
            head = GET + b"Origin: " + origin + b"\r\n" if origin else GET
            connection.sendall(head + b"X: " + b"x" * HEAD_LIMIT)
            answer = everything(connection).lower()
        assert refusal(answer, b"431 ")
        assert (cors in answer, b"access-control" in answer) == (named, named)


@pytest.mark.parametrize("before", [b"GET /", GET + b"X: ", CHUNKED + b"0\r\nX: "], ids=["url", "header", "trailer"])
def test_an_endless_head_or_trailer_is_refused_while_the_client_still_sends(before: bytes, dial: Dial) -> None:
    connection = dial()
    connection.sendall(before)
    for _ in range(8):
        connection.sendall(b"x" * HEAD_LIMIT)
    assert refusal(everything(connection), b"431 ")


def test_the_head_limit_counts_for_each_request_of_a_connection(dial: Dial) -> None:
    connection = dial()
    half = padded(HEAD_LIMIT // 2 + 1).replace(b"Connection: close", b"Connection: keep-alive")
    for _ in range(3):
        connection.sendall(half)
        answer = connection.recv(65536)
        while not answer.endswith(b"}"):
            answer += connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 ")


def test_the_head_limit_does_not_apply_to_bodies(dial: Dial) -> None:
    connection = dial()
    body = b'{"metadata": {}}' + b" " * 4 * HEAD_LIMIT
    connection.sendall(POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert everything(connection).startswith(b"HTTP/1.1 200 ")
