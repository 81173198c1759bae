"""Uploads, checked against their endpoint while they are read, with a digest by which a retry is recognised."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any, Generic, TypeVar

import msgspec

from runstead.domain.idempotency import digest
from runstead.interface.transfer import FilePart, Upload
from runstead.wire.codec import request_errors
from runstead.wire.codec.request import validate
from runstead.wire.endpoints.endpoint import Endpoint
from runstead.wire.struct import Request

__all__ = ["CheckedUpload"]

B = TypeVar("B", bound=Request)


class _CheckedPart:
    """A file of the upload, and the hash of the bytes that were read."""

    def __init__(self, part: FilePart, *, hashed: bool) -> None:
        self._chunks = aiter(part)
        self._hash = hashlib.sha256() if hashed else None
        self.name = part.name
        self.file_name = part.file_name
        self.content_type = part.content_type

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        if self._hash is not None:
            self._hash.update(chunk)
        return chunk

    def digest(self) -> bytes:
        assert self._hash is not None
        head = msgspec.json.encode((self.name, self.file_name, self.content_type))
        return digest(head, self._hash.digest())


class CheckedUpload(Generic[B]):
    """Implements `interface.transfer.Upload` over another one: has every file that the endpoint names, and no other."""

    def __init__(self, endpoint: Endpoint[Any, B, Any], upload: Upload[B], *, digested: bool = False) -> None:
        self._endpoint = endpoint
        self._upload = upload
        self._digested = digested
        self._found: list[_CheckedPart] = []
        self._parts = self._read()
        self._fields: B | None = None

    async def files(self) -> AsyncIterator[FilePart]:
        async for part in self._parts:
            yield part

    async def _read(self) -> AsyncIterator[_CheckedPart]:
        async for each in self._upload.files():
            if each.name not in self._endpoint.files or any(each.name == part.name for part in self._found):
                raise request_errors.unknown(each.name)
            part = _CheckedPart(each, hashed=self._digested)
            self._found.append(part)
            yield part
            async for _ in part:  # what the method did not read
                pass

    async def fields(self) -> B:
        async for _ in self._parts:
            pass
        for name in self._endpoint.files:
            if not any(part.name == name for part in self._found):
                raise request_errors.missing(name)
        self._fields = validate(await self._upload.fields())
        return self._fields

    def digest(self) -> bytes:
        """The digest of all fields, and of each file's name, type and content. `fields` must have been read."""
        if self._fields is None:
            raise RuntimeError("an upload was not read to its end before its call was carried out")
        return digest(msgspec.json.encode(self._fields), *(part.digest() for part in self._found))
