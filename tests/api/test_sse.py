"""The body of a stream, seen from the server's side of the connection."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

import pytest
from starlette.types import Message

from runstead.api.sse import EventStream
from runstead.wire.codec.sse import DONE_FRAME, PING, encode
from runstead.wire.error import Closed, NotFound
from runstead.wire.event import RawEvent
from tests.api.served import raw

ONE, TWO, THREE = raw(1), raw(2), raw(2, 1)
BOUND = 10


class Connection:
    """A client that takes what it is sent, unless it is stuck."""

    def __init__(self) -> None:
        self.draining = asyncio.Event()
        self.left = asyncio.Event()
        self.takes = asyncio.Event()
        self.takes.set()
        self.messages: list[Message] = []
        self._changed = asyncio.Condition()

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await self.takes.wait()
        async with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    async def got(self, data: bytes) -> None:
        """Wait until `data` has come."""
        async with asyncio.timeout(BOUND), self._changed:
            await self._changed.wait_for(lambda: data in self.body)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def whole(self) -> bool:
        """The body has come to its end."""
        return bool(self.messages) and self.messages[-1].get("more_body") is False

    async def serve(self, batches: AsyncIterator[Sequence[RawEvent]], ping_after: float = BOUND) -> None:
        stream = EventStream(
            batches,
            receive=self.receive,
            send=self.send,
            draining=self.draining,
            ping_after=ping_after,
            request_id="req_1",
        )
        async with asyncio.timeout(BOUND):
            await stream.run()


class Source:
    """Events that come when they are put, and whether anyone still listens."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Sequence[RawEvent] | None] = asyncio.Queue()
        self.asked = 0
        self.closed = asyncio.Event()

    async def batches(self) -> AsyncIterator[Sequence[RawEvent]]:
        try:
            while (batch := await self.queue.get()) is not None:
                self.asked += 1
                yield batch
        finally:
            self.closed.set()

    def put(self, *batch: RawEvent) -> None:
        self.queue.put_nowait(batch)

    def end(self) -> None:
        self.queue.put_nowait(None)


async def given(*batches: Sequence[RawEvent], then: Exception | None = None) -> AsyncIterator[Sequence[RawEvent]]:
    for batch in batches:
        yield batch
    if then is not None:
        raise then


async def test_a_batch_is_one_write_and_the_end_is_done() -> None:
    connection = Connection()
    await connection.serve(given([ONE, TWO], [THREE]))
    start, *bodies = connection.messages
    assert start["status"] == 200
    assert dict(start["headers"])[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert [message["body"] for message in bodies] == [encode(ONE) + encode(TWO), encode(THREE), DONE_FRAME]
    assert [message["more_body"] for message in bodies] == [True, True, False]


async def test_an_error_before_the_first_event_is_raised_with_nothing_sent() -> None:
    connection = Connection()
    with pytest.raises(NotFound):
        await connection.serve(given(then=NotFound("no")))
    assert connection.messages == []


async def test_an_empty_batch_opens_the_stream_and_writes_nothing() -> None:
    connection = Connection()
    await connection.serve(given([], [ONE]))
    assert connection.body == encode(ONE) + DONE_FRAME


async def test_a_stream_opens_by_itself_when_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runstead.api.sse._PATIENCE", 0.01)
    connection, source = Connection(), Source()
    async with asyncio.TaskGroup() as group:
        group.create_task(connection.serve(source.batches(), ping_after=0.05))
        await connection.got(PING)
        source.put(ONE)
        source.end()
    assert connection.body.endswith(encode(ONE) + DONE_FRAME)


async def test_silence_is_broken_again_and_again() -> None:
    connection, source = Connection(), Source()
    source.put(ONE)
    async with asyncio.TaskGroup() as group:
        group.create_task(connection.serve(source.batches(), ping_after=0.02))
        await connection.got(encode(ONE) + PING * 3)
        source.end()


async def test_a_failure_in_the_middle_is_an_event_in_the_errors_shape(caplog: pytest.LogCaptureFixture) -> None:
    connection = Connection()
    await connection.serve(given([ONE], then=RuntimeError("the reason")))
    _, error, done = connection.body.split(b"\n\n", 2)
    assert error.startswith(b'event: error\ndata: {"error":{"message":"The server had an error')
    assert b"req_1" in error
    assert b"the reason" not in error
    assert done == DONE_FRAME
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_an_engine_that_is_closed_ends_the_stream_without_done() -> None:
    connection = Connection()
    await connection.serve(given([ONE], then=Closed("bye")))
    assert (connection.body, connection.whole) == (encode(ONE), True)


async def test_a_server_that_drains_ends_the_body_cleanly_without_done() -> None:
    connection, source = Connection(), Source()
    source.put(ONE)
    async with asyncio.TaskGroup() as group:
        group.create_task(connection.serve(source.batches()))
        await connection.got(encode(ONE))
        connection.draining.set()
    assert (connection.body, connection.whole) == (encode(ONE), True)
    assert source.closed.is_set()


async def test_a_client_that_leaves_is_noticed_in_silence() -> None:
    connection, source = Connection(), Source()
    source.put(ONE)
    async with asyncio.TaskGroup() as group:
        group.create_task(connection.serve(source.batches()))
        await connection.got(encode(ONE))
        connection.left.set()
    assert source.closed.is_set()
    assert not connection.whole


async def test_a_slow_client_is_not_flooded() -> None:
    connection, source = Connection(), Source()
    source.put(ONE)
    async with asyncio.TaskGroup() as group:
        group.create_task(connection.serve(source.batches()))
        await connection.got(encode(ONE))
        connection.takes.clear()
        source.put(TWO)
        source.put(THREE)
        source.end()
        for _ in range(100):
            await asyncio.sleep(0)
        assert source.asked == 2  # the third waits until the second is taken
        connection.takes.set()
    assert connection.body == encode(ONE) + encode(TWO) + encode(THREE) + DONE_FRAME
