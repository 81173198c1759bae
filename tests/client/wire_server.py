"""A real HTTP server that answers by a script, in a thread of its own: it also cuts connections and keeps silent."""

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
class Seen:
    """A request as it arrived."""

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
class Answer:
    """A whole answer; after the `last` one the connection is closed without a word."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    last: bool = False

    @classmethod
    def of(cls, body: Any, status: int = 200, *, last: bool = False, **headers: str) -> "Answer":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(json.dumps(body).encode(), status, {"content-type": "application/json"} | named, last)

    @classmethod
    def error(cls, status: int, message: str = "no", **headers: str) -> "Answer":
        details = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(json.dumps({"error": details}).encode(), status, named)


@dataclass(frozen=True)
class Stream:
    """An answer of events. `cut` ends it in the middle; `pings` follow the chunks for ever, `held` keeps it silent."""

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
class Cut:
    """No answer: the connection is closed."""


@dataclass(frozen=True)
class Silence:
    """No answer, and the connection stays open."""


Script: TypeAlias = Answer | Stream | Cut | Silence
DONE = b"event: done\ndata: [DONE]\n\n"


def event(name: str, data: Any, id: str | None = None) -> bytes:
    """The frame of an event."""
    head = f"id: {id}\n" if id is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()


class WireServer:
    """What it was asked, and what it shall answer: the answers of a call in turn, the last one for ever."""

    def __init__(self, secured: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.url = ""
        self.connections = 0
        self.gone = threading.Event()
        """A client left a stream that is held or pings, or was left after the last answer."""
        self._scripts: dict[tuple[str, str], list[Script]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()
        self._secured = secured
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None

    def on(self, method: str, path: str, *answers: Script) -> None:
        self._scripts[method, path if "://" in path else f"/v1{path}"] = list(answers)

    @property
    def calls(self) -> list[str]:
        """The requests in a word each: `GET /threads`."""
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
        """One request and its answer; whether the connection goes on."""
        seen = await self._read(reader)
        self.seen.append(seen)
        script = self._scripts[seen.method, seen.path]
        answer = script.pop(0) if len(script) > 1 else script[0] if script else Answer.error(404, "No such call.")
        match answer:
            case Answer():
                writer.write(_encoded(answer))
                await writer.drain()
            case Stream():
                await self._send(answer, reader, writer)
            case Silence():
                await reader.read()
        match answer:
            case Answer(last=True):
                writer.close()
                await writer.wait_closed()  # told only when the client can see it
                self.gone.set()
                return False
            case Answer() | Stream(cut=False):
                return True
            case _:
                return False

    async def _read(self, reader: asyncio.StreamReader) -> Seen:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Seen(method, target, headers, body)

    async def _send(self, stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n")
        writer.write(b"idempotency-keys: 86400\r\n" if stream.supports_idempotency else b"")
        writer.write(b"transfer-encoding: chunked\r\n\r\n")
        for chunk in stream.chunks:
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            await writer.drain()
        if stream.held or stream.pings:
            await self._hold(stream, reader, writer)
        elif not stream.cut:
            writer.write(b"0\r\n\r\n")
            await writer.drain()

    async def _hold(self, stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep the stream open until the client leaves, with signs of life if wanted."""
        while True:
            try:
                async with asyncio.timeout(0.02 if stream.pings else 30):
                    await reader.read()
                self.gone.set()
                raise ConnectionResetError
            except TimeoutError:
                writer.write(b"%x\r\n%b\r\n" % (len(PING), PING))
                await writer.drain()


def _encoded(answer: Answer) -> bytes:
    headers = {"x-request-id": "req_1", "content-length": str(len(answer.body))} | dict(answer.headers)
    lines = [f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + answer.body
