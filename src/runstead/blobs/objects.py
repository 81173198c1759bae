"""Blobs in an object store: S3 and servers with its protocol, Google Cloud Storage, Azure Blob Storage.

The library streams both ways, uploads large blobs in parts, and retries failures that may pass. Like the tools of each
vendor, it reads the credentials from the environment, or from the machine's role.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import ObjectStore, from_url

from runstead.blobs.buffer import buffered
from runstead.blobs.port import CHUNK, BlobExists, BlobMissing, BlobTooLarge, StoredBlob, Written, checked_name
from runstead.wire.error import Closed, RunsteadError, Unreachable

__all__ = ["ObjectBlobs"]

_PART = 5 * 1024 * 1024
"""Bytes of a part of an upload: the least that S3 takes."""
_PARTS_AT_ONCE = 2
"""Parts of one upload that are under way, and in memory, at once."""
_UPLOADS_AT_ONCE = 32
"""Uploads of more than one part at once: they hold up to 640 MB together. More wait, and so do their senders."""
_TIMEOUT = "30s"
"""For one request. The library tries again for up to `_RETRIES`."""
_RETRY: Any = {"max_retries": 3}
_SCHEMES = {"s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl"}


class ObjectBlobs:
    """`port.Blobs` at a URL such as `s3://bucket/prefix?endpoint=…&region=…`.

    The parameters of the URL are options of the library's store. Keys do not belong there, but into the environment.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        if parts.scheme not in _SCHEMES:
            raise RunsteadError(
                f"blobs: {parts.scheme}:// is no object store. Known are: {', '.join(sorted(_SCHEMES))}"
            )
        self._url = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self._options = dict(parse_qsl(parts.query))
        self._store: ObjectStore | None = None
        self._uploads = asyncio.Semaphore(_UPLOADS_AT_ONCE)

    def __repr__(self) -> str:
        return f"ObjectBlobs({self._shown!r})"

    @property
    def shared(self) -> bool:
        return True

    async def start(self) -> None:
        plain = self._options.get("endpoint", "").startswith("http://")
        client: Any = {"timeout": _TIMEOUT, "allow_http": plain}
        try:
            self._store = from_url(self._url, client_options=client, retry_config=_RETRY, **self._options)  # type: ignore[call-overload]
        except (BaseError, ValueError) as error:
            raise RunsteadError(f"cannot use the object store {self._shown}: {error}") from error

    async def stop(self) -> None:
        self._store = None

    async def write(self, name: str, chunks: AsyncIterator[bytes], *, limit: int) -> Written:
        store = self._open
        try:
            await self.size(name)
        except BlobMissing:
            pass
        else:
            raise BlobExists(name)
        source = _Counted(name, chunks, limit)
        try:
            with self._explained(name):
                first = await anext(aiter(source), b"")
                if len(first) < _PART:
                    await obstore.put_async(store, name, first, mode="create")
                else:
                    # Parts cannot be create-only: the name is new, and the check above finds mistakes.
                    async with self._uploads:
                        await obstore.put_async(
                            store, name, source.after(first), chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE
                        )
        except Exception:
            if source.error is not None:
                raise source.error from None
            raise
        return Written(source.size, source.digest.hexdigest())

    async def read(self, name: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        options: Any = {}
        if start > 0 or end is not None:
            size = await self.size(name)  # a store refuses ranges that begin after the end
            end = size if end is None else min(end, size)
            if start >= end:
                return
            options = {"range": (start, end)}
        with self._explained(name):
            found = await obstore.get_async(self._open, checked_name(name), options=options)
            async for chunk in found.stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    @asynccontextmanager
    async def open_local(self, name: str) -> AsyncIterator[Path]:
        with tempfile.TemporaryDirectory(prefix="runstead-") as folder:
            copy = Path(folder) / checked_name(name)
            with copy.open("xb") as file:
                async for chunk in self.read(name):
                    await asyncio.to_thread(file.write, chunk)
            yield copy

    async def size(self, name: str) -> int:
        with self._explained(name):
            return (await obstore.head_async(self._open, checked_name(name)))["size"]

    async def delete(self, name: str) -> None:
        try:
            with self._explained(name):
                await obstore.delete_async(self._open, checked_name(name))
        except BlobMissing:
            return

    async def names(self, prefix: str = "") -> AsyncIterator[StoredBlob]:
        with self._explained(prefix):
            async for part in obstore.list(self._open):
                for found in part:
                    if found["path"].startswith(prefix):
                        yield StoredBlob(found["path"], found["last_modified"].timestamp())

    async def discard_unfinished(self, before: float) -> None:
        """Do nothing. A rule of the bucket removes the parts of interrupted uploads."""

    @property
    def _open(self) -> ObjectStore:
        if self._store is None:
            raise Closed(f"the object store {self._shown} is not open")
        return self._store

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        try:
            yield
        except AlreadyExistsError:
            raise BlobExists(name) from None
        except (NotFoundError, FileNotFoundError):
            raise BlobMissing(name) from None
        except BaseError as error:
            first_line, _, _ = str(error).partition("\n")  # the rest is for developers of the library
            raise Unreachable(f"cannot use the object store {self._shown}: {first_line}") from error


class _Counted:
    """Chunks of at least one part, counted and hashed while they are read."""

    def __init__(self, name: str, chunks: AsyncIterator[bytes], limit: int) -> None:
        self._name = name
        self._chunks = buffered(chunks, _PART)
        self._limit = limit
        self.size = 0
        self.digest = hashlib.sha256()
        self.error: BaseException | None = None
        """The exception that the chunks raised. The library would wrap it."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
            self.size += len(chunk)
            if self.size > self._limit:
                raise BlobTooLarge(self._name)
        except StopAsyncIteration:
            raise
        except BaseException as error:
            self.error = error
            raise
        self.digest.update(chunk)
        return chunk

    async def after(self, first: bytes) -> AsyncIterator[bytes]:
        """The first chunk, and all others."""
        yield first
        async for chunk in self:
            yield chunk
