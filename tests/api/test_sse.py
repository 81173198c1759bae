"""The response of a stream, from the server's side of the connection."""

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
    """A client that reads what it is sent, unless `takes` is cleared."""

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
        """Wait until `data` was received."""
        async with asyncio.timeout(BOUND), self._changed:
            await self._changed.wait_for(lambda: data in self.body)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def whole(self) -> bool:
        """The response was ended."""
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
    """Events that the test puts, and whether they are still read."""

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


async def test_a_batch_is_one_write_and_done_is_last() -> None:
    connection = Connection()
    await connection.serve(given([ONE, TWO], [THREE]))
    start, *bodies = connection.messages
    assert start["status"] == 200
    assert dict(start["headers"])[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert [message["body"] for message in bodies] == [encode(ONE) + encode(TWO), encode(THREE), DONE_FRAME]
    assert [message["more_body"] for message in bodies] == [True, True, False]


async def test_an_error_before_the_first_event_is_raised_before_anything_is_sent() -> None:
    connection = Connection()
    with pytest.raises(NotFound):
        await connection.serve(given(then=NotFound("no")))
    assert connection.messages == []


async def test_an_empty_batch_starts_the_response_without_an_event() -> None:
    connection = Connection()
    await connection.serve(given([], [ONE]))
    assert connection.body == encode(ONE) + DONE_FRAME


async def test_the_response_starts_after_a_second_without_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runstead.api.sse._PATIENCE", 0.01)
    connection, source = Connection(), Source()
    async with asyncio.TaskGroup() as group:
        group.create_task(connection.serve(source.batches(), ping_after=0.05))
        await connection.got(PING)
        source.put(ONE)
        source.end()
    assert connection.body.endswith(encode(ONE) + DONE_FRAME)


async def test_a_silent_stream_sends_pings() -> None:
    connection, source = Connection(), Source()
    source.put(ONE)
    async with asyncio.TaskGroup() as group:
        group.create_task(connection.serve(source.batches(), ping_after=0.02))
        await connection.got(encode(ONE) + PING * 3)
        source.end()


@pytest.mark.parametrize("failure", [None, RuntimeError("the reason"), Closed("bye")])
async def test_every_block_of_a_stream_is_one_event_in_one_line(failure: Exception | None) -> None:
    """Some readers cut a stream at its blank lines, and take only the last `data` and the last `event` of a block."""
    connection, source = Connection(), Source()

    async def batches() -> AsyncIterator[Sequence[RawEvent]]:
        async for batch in source.batches():
            yield batch
        if failure is not None:
            raise failure

    source.put(ONE)
    async with asyncio.TaskGroup() as group:
        group.create_task(connection.serve(batches(), ping_after=0.02))
        await connection.got(encode(ONE) + PING * 2)
        source.put(TWO, THREE)
        await connection.got(encode(THREE) + PING * 2)
        source.end()
    assert b"\r" not in connection.body
    blocks = [block.split(b"\n") for block in connection.body.split(b"\n\n")]
    ends = blocks.pop()  # what follows the last blank line: comments, if the stream was cut
    assert all(line.startswith(b":") for line in ends if line)
    for block in blocks:
        lines = [line for line in block if not line.startswith(b":")]
        assert [line.partition(b":")[0] for line in lines if not line.startswith(b"id:")] == [b"event", b"data"]


async def test_a_failure_after_the_first_event_is_an_error_event(caplog: pytest.LogCaptureFixture) -> None:
    connection = Connection()
    await connection.serve(given([ONE], then=RuntimeError("the reason")))
    _, error, done = connection.body.split(b"\n\n", 2)
    assert error.startswith(b'event: error\ndata: {"error":{"message":"The server had an error')
    assert b"req_1" in error
    assert b"the reason" not in error
    assert done == DONE_FRAME
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_a_closed_engine_ends_the_stream_without_done() -> None:
    connection = Connection()
    await connection.serve(given([ONE], then=Closed("bye")))
    assert (connection.body, connection.whole) == (encode(ONE), True)


async def test_a_draining_server_ends_the_stream_without_done() -> None:
    connection, source = Connection(), Source()
    source.put(ONE)
    async with asyncio.TaskGroup() as group:
        group.create_task(connection.serve(source.batches()))
        await connection.got(encode(ONE))
        connection.draining.set()
    assert (connection.body, connection.whole) == (encode(ONE), True)
    assert source.closed.is_set()


async def test_a_disconnect_closes_a_silent_stream() -> None:
    connection, source = Connection(), Source()
    source.put(ONE)
    async with asyncio.TaskGroup() as group:
        group.create_task(connection.serve(source.batches()))
        await connection.got(encode(ONE))
        connection.left.set()
    assert source.closed.is_set()
    assert not connection.whole


async def test_a_slow_client_gets_one_batch_at_a_time() -> None:
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
