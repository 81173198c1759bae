"""A chat completions server on a real socket, with the answers of the test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import msgspec

__all__ = ["Answer", "Exchange", "FakeUpstream", "chunk", "fake_upstream", "plain", "refused", "sse", "stream", "text"]


class Exchange:
    """One request, and the connection to answer on."""

    def __init__(self, head: str, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.split("\r\n")
        self.method, self.path, _ = first.split(" ")
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.body = body
        self._reader = reader
        self._writer = writer

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def begin(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Send the head of a chunked answer."""
        lines = {"Transfer-Encoding": "chunked", "Content-Type": "text/event-stream", **(headers or {})}
        await self.send(head(status, lines))

    async def piece(self, data: bytes) -> None:
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self) -> None:
        await self.send(b"0\r\n\r\n")

    def cut(self) -> None:
        """Close the connection in the middle of the answer."""
        self._writer.close()

    async def left(self) -> None:
        """Wait until the client has closed the connection."""
        while await self._reader.read(1024):
            pass


Answer: TypeAlias = Callable[[Exchange], Awaitable[None]]


class FakeUpstream:
    """Sends its answers in order, and repeats the last one."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.exchanges: list[Exchange] = []
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip("\r\n")
                length = int(
                    next((line[15:] for line in head.lower().split("\r\n") if line[:14] == "content-length"), 0)
                )
                exchange = Exchange(head, await reader.readexactly(length), reader, writer)
                self.exchanges.append(exchange)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                await answer(exchange)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def fake_upstream(*answers: Answer) -> AsyncIterator[FakeUpstream]:
    upstream = FakeUpstream(*answers)
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(upstream.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=2**26)
    host, port = server.sockets[0].getsockname()
    upstream.url = f"http://{host}:{port}/v1"
    try:
        yield upstream
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def refused(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer that is not a stream, such as an error."""

    async def answer(exchange: Exchange) -> None:
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        lines = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        await exchange.send(head(status, lines) + data)

    return answer


def plain(body: Any) -> Answer:
    """One JSON object."""
    return refused(200, body)


def chunk(delta: Mapping[str, Any] | None = None, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """One event of a stream."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": choices, **fields}


def sse(*events: Mapping[str, Any]) -> bytes:
    return b"".join(b"data: %b\n\n" % msgspec.json.encode(event) for event in events)


def stream(*events: Mapping[str, Any], done: bool = True) -> Answer:
    """A stream with each event in a chunk of its own."""

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        for event in events:
            await exchange.piece(sse(event))
        if done:
            await exchange.piece(b"data: [DONE]\n\n")
        await exchange.end()

    return answer


def text(*words: str) -> Answer:
    """A stream of these words, with a finish reason and the usage."""
    return stream(
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": word}) for word in words),
        chunk({}, "stop"),
        chunk(usage={"prompt_tokens": 7, "completion_tokens": len(words), "total_tokens": 7 + len(words)}),
    )
