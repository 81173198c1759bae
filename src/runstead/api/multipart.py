"""Forms with files, read part by part while they arrive: `multipart/form-data`, RFC 7578.

Only the chunk that was received last is in memory. The next one is asked for when it is needed, so a sender is slowed
down to the pace of the reader.
"""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from typing import Any, Generic, TypeVar

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from runstead.domain.files import stored_name
from runstead.wire.codec.request import decode_query
from runstead.wire.error import BadRequest
from runstead.wire.struct import Request

__all__ = ["MultipartUpload"]

B = TypeVar("B", bound=Request)

_MAX_PARTS = 100
_MAX_FIELD = 64 * 1024
"""Bytes of one field that is not a file."""
_MAX_HEADERS = 8
_MAX_HEADER = 8 * 1024
"""Bytes of one header of a part."""


class _FilePart:
    """One file of a form. Implements `interface.transfer.FilePart`."""

    def __init__(self, upload: "MultipartUpload[Any]", name: str, file_name: str, content_type: str | None) -> None:
        self._upload = upload
        self.name = name
        self.file_name = file_name
        self.content_type = content_type

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._upload.next_chunk(self)
        if chunk is None:
            raise StopAsyncIteration
        return chunk


class _Field:
    """One field of a form that is not a file."""

    def __init__(self, name: str) -> None:
        self.name = name


class _End:
    """The end of a part."""


class MultipartUpload(Generic[B]):
    """A form that arrives. Implements `interface.transfer.Upload`; `fields` is the type of the form's fields.

    A part is a file if it has a file name, or if its name is one of `files`: RFC 7578 does not require a file name.
    """

    def __init__(
        self, fields: type[B], files: Collection[str], content_type: bytes, chunks: AsyncGenerator[bytes]
    ) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not boundary:
            raise _unreadable("expected 'content-type: multipart/form-data' with a boundary")
        self._kind = fields
        self._chunks = chunks
        self._parts = _PartReader(boundary, files, self)
        self._fields: list[tuple[str, str]] = []
        self._reading: _FilePart | None = None

    async def files(self) -> AsyncIterator[_FilePart]:
        while True:
            if self._reading is not None:
                async for _ in self._reading:  # the rest of the last file
                    pass
            match await self._next():
                case _FilePart() as part:
                    self._reading = part
                    yield part
                case _Field(name=name):
                    self._fields.append((name, await self._value(name)))
                case None:
                    return

    async def fields(self) -> B:
        async for _ in self.files():
            pass
        return decode_query(self._kind, self._fields)

    async def next_chunk(self, part: _FilePart) -> bytes | None:
        """The next bytes of a file; None at its end, and for a file that is not being read any more."""
        if part is not self._reading:
            return None
        data = await self._next()
        if isinstance(data, bytes):
            return data
        self._reading = None
        return None

    async def _value(self, name: str) -> str:
        value = b""
        while isinstance(data := await self._next(), bytes):
            value += data
            if len(value) > _MAX_FIELD:
                raise _unreadable(f"the field '{name[:64]}' is longer than {_MAX_FIELD} bytes")
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise _unreadable(f"the field '{name[:64]}' is not UTF-8") from None

    async def _next(self) -> "_FilePart | _Field | bytes | _End | None":
        """The next part of the form; None at its end."""
        while not self._parts.found:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                if not self._parts.whole:
                    raise _unreadable("it ends before the closing boundary")
                return None
            self._parts.feed(chunk)
        return self._parts.found.popleft()


class _PartReader:
    """Turns the bytes of a form into parts, with the parser of python-multipart."""

    def __init__(self, boundary: bytes, files: Collection[str], upload: "MultipartUpload[Any]") -> None:
        self.found: deque[_FilePart | _Field | bytes | _End] = deque()
        self.whole = False
        """The closing boundary was read."""
        self._files = files
        self._upload = upload
        self._count = 0
        self._header = b""
        self._value = b""
        self._headers: dict[bytes, bytes] = {}
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._data,
                    "on_part_end": lambda: self.found.append(_End()),
                    "on_end": self._ends,
                },
                max_header_count=_MAX_HEADERS,
                max_header_size=_MAX_HEADER,
            )
        except FormParserError as error:
            raise _unreadable(str(error)) from None

    def feed(self, chunk: bytes) -> None:
        """Read on; what the chunk holds is appended to `found`."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _unreadable(str(error)) from None

    def _part_begins(self) -> None:
        self._count += 1
        if self._count > _MAX_PARTS:
            raise _unreadable(f"it has more than {_MAX_PARTS} parts")
        self._headers = {}

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def _headers_end(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition"))
        if kind != b"form-data" or b"name" not in options:
            raise _unreadable("a part has no name")
        name = options[b"name"].decode("utf-8", "replace")
        if b"filename" not in options and name not in self._files:
            self.found.append(_Field(name))
            return
        content_type = self._headers.get(b"content-type")
        self.found.append(
            _FilePart(
                self._upload,
                name,
                stored_name(_unescaped(options.get(b"filename", b"").decode("utf-8", "replace"))),
                content_type.decode("latin-1") if content_type else None,
            )
        )

    def _data(self, data: bytes, start: int, end: int) -> None:
        self.found.append(data[start:end])

    def _ends(self) -> None:
        self.whole = True


def _unescaped(name: str) -> str:
    """The name that a sender has escaped as browsers do: a quote and the ends of lines, and nothing else."""
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def _unreadable(reason: str) -> BadRequest:
    return BadRequest(
        f"We could not parse the multipart form of your request: {reason}.", code="invalid_multipart_form"
    )
