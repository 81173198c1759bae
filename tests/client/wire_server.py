"""An HTTP server with scripted responses, in a thread of its own. It can also disconnect, or never respond."""

import asyncio
import json
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]

PING = b": ping\n"


@dataclass(frozen=True)
class Request:
    """A request as the server received it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Response:
    """A complete response. After the `last` one the server closes the connection."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    last: bool = False

    @classmethod
    def of(cls, body: Any, status: int = 200, *, last: bool = False, **headers: str) -> "Response":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(json.dumps(body).encode(), status, {"content-type": "application/json"} | named, last)

    @classmethod
    def error(cls, status: int, message: str = "no", **headers: str) -> "Response":
        details = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(json.dumps({"error": details}).encode(), status, named)


@dataclass(frozen=True)
class Stream:
    """A stream of events. After its chunks, `cut` disconnects, `held` stays open, and `pings` sends pings for ever."""

    chunks: Sequence[bytes]
    cut: bool = False
    held: bool = False
    pings: bool = False
    supports_idempotency: bool = False

    @classmethod
    def of(
        cls,
        *events: bytes,
        done: bool = True,
        cut: bool = False,
        held: bool = False,
        supports_idempotency: bool = False,
    ) -> "Stream":
        end = [DONE] if done and not cut and not held else []
        return cls([*events, *end], cut=cut, held=held, supports_idempotency=supports_idempotency)


@dataclass(frozen=True)
class Disconnect:
    """No response: the server closes the connection."""


@dataclass(frozen=True)
class NoResponse:
    """No response, and the connection stays open."""


@dataclass(frozen=True)
class Raw:
    """Bytes as they are, then `repeated` ones every so many seconds until the client leaves; without these, the end."""

    first: bytes
    repeated: bytes = b""
    every: float = 0.0

    @classmethod
    def body(cls, body: bytes, repeated: bytes = b"", every: float = 0.0, kind: str = "application/json") -> "Raw":
        """A response whose body ends with its connection."""
        return cls(b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n\r\n%b" % (kind.encode(), body), repeated, every)

    @classmethod
    def events(cls, body: bytes, repeated: bytes = b"", every: float = 0.0) -> "Raw":
        """A stream that ends with its connection."""
        return cls.body(body, repeated, every, "text/event-stream")


Script: TypeAlias = Response | Stream | Disconnect | NoResponse | Raw
DONE = b"event: done\ndata: [DONE]\n\n"


def event(name: str, data: Any, id: str | None = None) -> bytes:
    """The frame of an event."""
    head = f"id: {id}\n" if id is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()


class WireServer:
    """The requests that it received, and the responses to send: those of a call in turn, the last one repeatedly."""

    def __init__(self, secured: ssl.SSLContext | None = None) -> None:
        self.seen: list[Request] = []
        self.url = ""
        self.connections = 0
        self.gone = threading.Event()
        """Set when a client has left a stream that is held or pings, or after the last response of a connection."""
        self._scripts: dict[tuple[str, str], list[Script]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()
        self._secured = secured
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None

    def on(self, method: str, path: str, *responses: Script) -> None:
        self._scripts[method, path if "://" in path else f"/v1{path}"] = list(responses)

    @property
    def calls(self) -> list[str]:
        """The requests in short: `GET /threads`."""
        return [f"{seen.method} {seen.path.removeprefix('/v1')}" for seen in self.seen]

    @contextmanager
    def running(self) -> Iterator["WireServer"]:
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
            yield self
        finally:
            self.stop()
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)
            self._loop.close()

    def stop(self) -> None:
        """Close the port and every connection."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._secured)
        scheme = "http" if self._secured is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and send its response. True if the connection stays open."""
        seen = await self._read(reader)
        self.seen.append(seen)
        script = self._scripts[seen.method, seen.path]
        response = script.pop(0) if len(script) > 1 else script[0] if script else Response.error(404, "No such call.")
        match response:
            case Response():
                writer.write(_encoded(response))
                await writer.drain()
            case Stream():
                await self._send(response, reader, writer)
            case NoResponse():
                await reader.read()
            case Raw():
                await self._send_raw(response, writer)
        match response:
            case Response(last=True):
                writer.close()
                await writer.wait_closed()  # the event is set only when the client can see the close
                self.gone.set()
                return False
            case Response() | Stream(cut=False):
                return True
            case _:
                return False

    async def _read(self, reader: asyncio.StreamReader) -> Request:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Request(method, target, headers, body)

    async def _send(self, stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n")
        writer.write(b"idempotency-keys: 86400\r\n" if stream.supports_idempotency else b"")
        writer.write(b"transfer-encoding: chunked\r\n\r\n")
        for chunk in stream.chunks:
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            await writer.drain()
        if stream.held or stream.pings:
            try:
                await self._hold(stream, reader, writer)
            except ConnectionError:  # also the reset by a client that left with bytes unread
                self.gone.set()
                raise
        elif not stream.cut:
            writer.write(b"0\r\n\r\n")
            await writer.drain()

    async def _send_raw(self, raw: Raw, writer: asyncio.StreamWriter) -> None:
        writer.write(raw.first)
        await writer.drain()
        while raw.repeated:
            await asyncio.sleep(raw.every)
            writer.write(raw.repeated)
            await writer.drain()

    async def _hold(self, stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep the stream open until the client leaves, with pings if wanted."""
        while True:
            try:
                async with asyncio.timeout(0.02 if stream.pings else 30):
                    await reader.read()
                raise ConnectionResetError
            except TimeoutError:
                writer.write(b"%x\r\n%b\r\n" % (len(PING), PING))
                await writer.drain()


def _encoded(response: Response) -> bytes:
    headers = {"x-request-id": "req_1", "content-length": str(len(response.body))} | dict(response.headers)
    lines = [f"HTTP/1.1 {response.status} X", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + response.body
