"""Blobs in a folder of this machine.

```
<folder>/drafts/<name>.<random>   being written; nothing reads it
<folder>/3f/<name>                whole, and on disk
```
A name is made by the server, so no text of a client becomes a path. `3f` is of the hash of the name: a folder holds a
256th of the blobs.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from runstead.blobs.buffer import buffered
from runstead.blobs.draft import Draft
from runstead.blobs.port import CHUNK, BlobMissing, BlobTooLarge, StoredBlob, Written, checked_name
from runstead.wire.error import Closed, RunsteadError, Unreachable

__all__ = ["LocalBlobs"]

T = TypeVar("T")

_DRAFTS = "drafts"
_THREADS = 4
"""Threads that read and write at once, for all blobs together."""
_LISTED = 1000
"""Names that are listed at a time."""


class LocalBlobs:
    """`port.Blobs` in a folder, which only its owner can enter. It is created when it is needed first.

    Without a folder the blobs are temporary: they are gone when it stops.
    """

    def __init__(self, folder: str | Path | None) -> None:
        self._given = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._threads = ThreadPoolExecutor(_THREADS, "runstead-blobs")

    def __repr__(self) -> str:
        return f"LocalBlobs({self._given!r})"

    @property
    def shared(self) -> bool:
        return False

    async def start(self) -> None:
        if self._given is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="runstead-", ignore_cleanup_errors=True)
        elif self._folder.exists() and not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise RunsteadError(f"cannot read and write in the folder {self._folder}")

    async def stop(self) -> None:
        self._threads.shutdown(wait=False)
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    @property
    def _folder(self) -> Path:
        if self._given is not None:
            return Path(self._given)
        if self._temporary is None:
            raise Closed("the place of blobs is not open")
        return Path(self._temporary.name)

    async def write(self, name: str, chunks: AsyncIterator[bytes], *, limit: int) -> Written:
        draft = Draft(self._folder / _DRAFTS, self._path(name))
        try:
            await self._run(draft.open)
            digest, size = hashlib.sha256(), 0
            async for chunk in buffered(chunks):
                size += len(chunk)
                if size > limit:
                    raise BlobTooLarge(name)
                await self._run(partial(draft.append, chunk, digest))
            await self._run(draft.finish)
        finally:
            await self._discard(draft)
        return Written(size, digest.hexdigest())

    async def read(self, name: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        path = self._path(name)
        file = await self._run_on(path, lambda: path.open("rb", buffering=0))
        try:
            position = start
            while end is None or position < end:
                wanted = CHUNK if end is None else min(CHUNK, end - position)
                chunk = await self._run(partial(os.pread, file.fileno(), wanted, position))
                if not chunk:
                    return
                position += len(chunk)
                yield chunk
        finally:
            file.close()

    @asynccontextmanager
    async def open_local(self, name: str) -> AsyncIterator[Path]:
        path = self._path(name)
        await self._run_on(path, path.stat)
        yield path

    async def size(self, name: str) -> int:
        path = self._path(name)
        return (await self._run_on(path, path.stat)).st_size

    async def delete(self, name: str) -> None:
        path = self._path(name)
        await self._run(lambda: path.unlink(missing_ok=True))

    async def names(self, prefix: str = "") -> AsyncIterator[StoredBlob]:
        listing = _listing(self._folder, prefix)
        while part := await self._run(lambda: [blob for blob, _ in zip(listing, range(_LISTED), strict=False)]):
            for blob in part:
                yield blob

    async def discard_unfinished(self, before: float) -> None:
        await self._run(lambda: _discard(self._folder / _DRAFTS, before))

    def _path(self, name: str) -> Path:
        shard = hashlib.sha256(checked_name(name).encode()).hexdigest()[:2]
        return self._folder / shard / name

    async def _discard(self, draft: Draft) -> None:
        try:
            discarding = self._threads.submit(draft.discard)
        except RuntimeError:  # it was stopped
            draft.discard()
        else:
            await asyncio.shield(asyncio.wrap_future(discarding))

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except OSError as error:
            raise Unreachable(f"cannot use the files in {self._folder}: {error.strerror or error}") from error

    async def _run_on(self, path: Path, work: Callable[[], T]) -> T:
        """Do something with a blob. `BlobMissing` if there is none."""
        try:
            return await self._run(work)
        except Unreachable as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise BlobMissing(path.name) from None
            raise


def _listing(folder: Path, prefix: str) -> Iterator[StoredBlob]:
    with suppress(FileNotFoundError):
        for shard in sorted(folder.iterdir()):
            if shard.name != _DRAFTS:
                yield from _listing_of_shard(shard, prefix)


def _listing_of_shard(shard: Path, prefix: str) -> Iterator[StoredBlob]:
    with os.scandir(shard) as entries:
        for entry in entries:
            if entry.name.startswith(prefix):
                with suppress(FileNotFoundError):  # it was deleted meanwhile
                    yield StoredBlob(entry.name, entry.stat().st_mtime)


def _discard(drafts: Path, before: float) -> None:
    with suppress(FileNotFoundError), os.scandir(drafts) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.stat().st_mtime < before:
                    Path(entry.path).unlink()
