"""Endpoints that are answered with the content of a file: whole, or one range of it (RFC 9110, section 14)."""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import NamedTuple, cast
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from runstead.api.bodies import Bodies
from runstead.api.errors import Headers
from runstead.api.handlers.request import RequestReader
from runstead.api.middleware import HEADERS
from runstead.api.port import Application, Settings
from runstead.interface.operation import Operation
from runstead.wire.file import FileContent

__all__ = ["BytesHandler", "disposition"]

_RANGE = re.compile(rb"bytes=([0-9]{0,18})-([0-9]{0,18})")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(;[ -~]*)?", re.ASCII)


class BytesHandler:
    """Answers requests to one endpoint."""

    def __init__(self, operation: Operation, application: Application, settings: Settings, bodies: Bodies) -> None:
        assert operation.call is not None
        self._request = RequestReader(operation, application, settings, bodies)
        self._call = operation.call

    async def __call__(self, path: Mapping[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        call = await self._request.read(path, scope, receive)
        content: FileContent = await self._call(call.target, call.path, call.query, call.body)
        part = _part(scope[HEADERS].get(b"range"), content.size)
        await send({"type": "http.response.start", "status": part.status, "headers": _headers(content, part)})
        if part.start < part.stop:
            await _send_while_connected(content, part, receive, send)
        await send({"type": "http.response.body", "body": b""})


class _Part(NamedTuple):
    """The bytes to send, and the status to send them with."""

    status: int
    start: int
    stop: int


def _part(asked: bytes | None, size: int) -> _Part:
    """The range that the header asks for: all bytes if it asks for several ranges, or in another unit."""
    matched = None if asked is None else _RANGE.fullmatch(asked)
    if matched is None or matched.groups() == (b"", b""):
        return _Part(200, 0, size)
    first, last = matched.groups()
    if not first:  # the last so many bytes
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    if last and first and int(last) < int(first):
        return _Part(200, 0, size)
    return _Part(206, start, stop) if start < stop else _Part(416, 0, 0)


def _headers(content: FileContent, part: _Part) -> Headers:
    kind = content.content_type if _MEDIA_TYPE.fullmatch(content.content_type) else "application/octet-stream"
    ranges: Headers = ()
    if part.status == 206:
        ranges = ((b"content-range", b"bytes %d-%d/%d" % (part.start, part.stop - 1, content.size)),)
    elif part.status == 416:
        ranges = ((b"content-range", b"bytes */%d" % content.size),)
    return (
        (b"content-type", kind.encode()),
        (b"content-length", b"%d" % (part.stop - part.start)),
        (b"content-disposition", disposition(content.file_name)),
        (b"accept-ranges", b"bytes"),
        (b"x-content-type-options", b"nosniff"),
        *ranges,
    )


def disposition(file_name: str | None) -> bytes:
    """The value of `Content-Disposition` that saves under this name (RFC 6266): in ASCII, and as it is spelled."""
    if not file_name:
        return b"attachment"
    plain = "".join(letter if letter.isascii() and letter.isprintable() else "_" for letter in file_name)
    plain = plain.replace("\\", "_").replace('"', "_")
    exact = "" if plain == file_name else f"; filename*=UTF-8''{quote(file_name, safe='')}"
    return f'attachment; filename="{plain}"{exact}'.encode()


async def _send_while_connected(content: FileContent, part: _Part, receive: Receive, send: Send) -> None:
    """Send the bytes at the client's pace, and stop reading them when the client has left."""
    left = asyncio.Event()

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        async with aclosing(cast("AsyncGenerator[bytes]", content.read(part.start, part.stop))) as chunks:
            async for chunk in chunks:
                if left.is_set():
                    break
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        watching.cancel()
