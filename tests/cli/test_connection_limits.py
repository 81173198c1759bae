"""The limits of a connection. Time is a parameter, so no test waits for it."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from runstead.cli.http_protocol import LimitedHttpProtocol, close_expired
from runstead.cli.server_process import Server
from runstead.cli.unread_replies import UnreadReplies
from tests.support.waiting import until, within

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Here(uvicorn.Server):
    """A server in this event loop, whose application reads each request's body and answers with `size` bytes."""

    def __init__(self, size: int = 2) -> None:
        super().__init__(
            uvicorn.Config(
                self.answer, http=LimitedHttpProtocol, ws="none", lifespan="off", interface="asgi3", log_config=None
            )
        )
        self.size = size
        self.started_replies = 0
        self.received = 0
        self.address = ("", 0)
        self.writers = list[asyncio.StreamWriter]()
        self.held = asyncio.Event()
        self.held.set()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            self.received += len(message["body"])
            more = message["more_body"]
        self.started_replies += 1
        headers = [(b"content-length", b"%d" % self.size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.held.wait()
        await send({"type": "http.response.body", "body": b"x" * self.size})

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def connect(self, *sent: bytes) -> Connection:
        reader, writer = await asyncio.open_connection(*self.address)
        self.writers.append(writer)
        before = len(self.server_state.connections)
        for piece in sent:
            writer.write(piece)
        await until(lambda: len(self.server_state.connections) >= max(before, 1))
        return reader, writer

    def pass_seconds(self, seconds: float) -> None:
        """Look at the connections as if so much time had passed."""
        close_expired(self.server_state.connections, asyncio.get_running_loop().time() + seconds)


@asynccontextmanager
async def here(size: int = 2) -> AsyncIterator[Here]:
    server = Here(size)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server.address = listening.getsockname()
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listening]))
            try:
                async with within():
                    yield server
            finally:
                server.held.set()
                for writer in server.writers:
                    writer.transport.abort()
                server.force_exit = server.should_exit = True


async def closes(reader: asyncio.StreamReader) -> bytes:
    """The bytes until the server closes the connection."""
    async with within():
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


def protocol(server: Here) -> LimitedHttpProtocol:
    (found,) = server.server_state.connections
    assert isinstance(found, LimitedHttpProtocol)
    return found


async def test_a_silent_connection_is_closed_after_75_seconds() -> None:
    async with here() as server:
        reader, _ = await server.connect()
        server.pass_seconds(74)
        assert server.server_state.connections
        server.pass_seconds(76)
        assert await closes(reader) == b""


async def test_a_connection_that_sends_only_empty_lines_is_idle() -> None:
    async with here() as server:
        reader, writer = await server.connect(GET)
        assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")
        writer.write(b"\r\n")
        await until(lambda: protocol(server).timeout_keep_alive_task is None)
        server.pass_seconds(76)
        assert await closes(reader) == b""


@pytest.mark.parametrize("head", [b"G", b"GET / HTTP/1.1\r\nHost: a\r\nX: "])
async def test_a_head_must_arrive_within_30_seconds(head: bytes) -> None:
    async with here() as server:
        reader, _ = await server.connect(head)
        await until(lambda: protocol(server)._head_since is not None)
        server.pass_seconds(29)
        assert not protocol(server)._refused
        server.pass_seconds(31)
        reply = await closes(reader)
        assert reply.startswith(b"HTTP/1.1 408 ")
        assert b"The head of your request did not arrive in time." in reply


async def test_a_body_must_arrive_at_16_kib_a_second_after_30_seconds() -> None:
    async with here() as server:
        reader, _ = await server.connect(POST, b" " * 160 * 1024)
        await until(lambda: server.received == 160 * 1024)
        server.pass_seconds(39)
        assert not protocol(server)._refused
        server.pass_seconds(41)
        reply = await closes(reader)
        assert reply.startswith(b"HTTP/1.1 408 ")
        assert b"The body of your request did not arrive in time." in reply


async def test_a_request_that_is_being_answered_is_never_late() -> None:
    async with here() as server:
        server.held.clear()
        reader, _ = await server.connect(GET)
        await until(lambda: server.started_replies == 1)
        server.pass_seconds(100_000)
        server.held.set()
        assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")


async def test_a_client_that_reads_nothing_for_300_seconds_is_cut_off() -> None:
    async with here(size=50_000_000) as server:
        reader, writer = await server.connect(GET)
        await until(lambda: server.started_replies == 1 and protocol(server).transport.get_write_buffer_size() > 0)
        server.pass_seconds(0)
        server.pass_seconds(299)
        assert server.server_state.connections
        server.pass_seconds(301)
        await until(lambda: not server.server_state.connections)
        writer.close()
        del reader


async def test_above_the_total_the_slowest_readers_are_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    """The log has one line when it begins and one when it ends."""
    caplog.set_level(logging.WARNING, "runstead.serve")
    async with here(size=50_000_000) as server:
        unread, connections = UnreadReplies(70_000_000), server.server_state.connections

        async def begin(count: int) -> Connection:
            connection = await server.connect(GET)
            await until(lambda: server.started_replies == count and _unread(server) > (count - 1) * 40_000_000)
            server.pass_seconds(count)
            unread.close_slowest(connections)
            return connection

        (slow, _), (reading, _) = await begin(1), await begin(2)
        await until(lambda: len(connections) == 1)
        assert len(await closes(slow)) < 50_000_000
        unread.close_slowest(connections)
        assert len(connections) == 1
        assert len(await reading.readuntil(b"\r\n\r\n")) > 0
        assert len(await reading.readexactly(50_000_000)) == 50_000_000
        server.pass_seconds(3)
        unread.close_slowest(connections)
    assert [record.message for record in caplog.records] == [
        "clients do not read their replies: the slowest connections are closed",
        "half of unread_limit is free again",
    ]


async def test_the_server_checks_for_slow_readers_in_every_tenth_tick() -> None:
    async with here(size=50_000_000) as server:
        ticking = Server(server.config, UnreadReplies(1_000_000))
        ticking.server_state = server.server_state
        await server.connect(GET)
        await until(lambda: _unread(server) > 1_000_000)
        for tick in (1, 9):
            await ticking.on_tick(tick)
        assert _unread(server) > 1_000_000
        await ticking.on_tick(10)
        await until(lambda: not server.server_state.connections)


def _unread(server: Here) -> int:
    """The bytes of all replies that wait."""
    protocols = [each for each in server.server_state.connections if isinstance(each, LimitedHttpProtocol)]
    return sum(each.transport.get_write_buffer_size() for each in protocols)


async def test_a_slow_reader_is_not_cut_off() -> None:
    async with here(size=50_000_000) as server:
        reader, writer = await server.connect(GET)
        await until(lambda: server.started_replies == 1 and protocol(server).transport.get_write_buffer_size() > 0)
        for number in range(4):
            size = protocol(server).transport.get_write_buffer_size()
            server.pass_seconds(200 * number)
            await reader.readexactly(5_000_000)
            await until(lambda size=size: protocol(server).transport.get_write_buffer_size() < size)
        assert server.server_state.connections
        writer.close()


async def test_requests_that_are_sent_far_ahead_are_cut_off() -> None:
    async with here() as server:
        server.held.clear()
        reader, _ = await server.connect(GET, GET * 16)
        await until(lambda: len(protocol(server).pipeline) == 16)
        server.held.set()
        replies = b"".join([await reader.readuntil(b"xx") for _ in range(17)])
        assert replies.count(b"HTTP/1.1 200") == 17

        server.held.clear()
        reader, _ = await server.connect(GET * 19)
        assert b"xx" not in await closes(reader)


async def test_a_large_body_that_is_sent_ahead_is_cut_off() -> None:
    async with here() as server:
        server.held.clear()
        reader, writer = await server.connect(GET)
        await until(lambda: server.started_replies == 1)
        protocol(server).flow.pause_reading = lambda: None  # type: ignore[method-assign]  # as a stream resumes it
        writer.write(POST + b" " * 200_000)
        assert b"xx" not in await closes(reader)


@pytest.mark.parametrize("leave", [asyncio.StreamWriter.close, lambda writer: writer.transport.abort()])
async def test_clients_that_leave_early_leave_nothing_in_the_log(
    leave: Callable[[asyncio.StreamWriter], object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with here(size=1_000_000) as server:
        server.held.clear()
        for sent in (GET * 10, GET * 2 + POST, POST + b" " * 1000, b"GET /", b""):
            _, writer = await server.connect(sent)
            leave(writer)
        await until(lambda: not server.server_state.connections)
        server.held.set()
        await until(lambda: not server.server_state.tasks)
    assert [record.message for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_request_for_another_protocol_is_answered_without_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    async with here() as server:
        reader, _ = await server.connect(
            GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        )
        assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")
    assert [record.message for record in caplog.records if record.levelno > logging.INFO] == []
