"""An interface with uploads and downloads, its endpoints, and an implementation that keeps the files in memory."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from typing import Any, Protocol

from msgspec import field

from runstead.domain.access import ALL_SCOPES, DEFAULT_PROJECT, Credentials
from runstead.engine.adapters import Adapters
from runstead.engine.resources.scope import Bound
from runstead.interface.operation import operation, table_of, upload_operation
from runstead.interface.transfer import Upload
from runstead.store.port import Tx
from runstead.wire.endpoints.endpoint import Endpoint, Nothing
from runstead.wire.error import NotFound
from runstead.wire.file import FileContent
from runstead.wire.struct import Object, Request
from tests.support.serving import served_at
from tests.support.worlds import adapters_of

__all__ = ["CREATE_FILE", "FILES", "FILE_CONTENT", "FILE_COUNT", "FileRequest", "FilesApplication", "StoredFile"]


class FileRequest(Request, frozen=True, kw_only=True):
    """The fields beside a file."""

    purpose: str
    tags: list[str] = field(default_factory=list)
    keep_days: int = 1


class StoredFile(Object, frozen=True, kw_only=True):
    """A file that was uploaded."""

    id: str
    purpose: str
    tags: list[str]
    keep_days: int
    file_name: str
    content_type: str | None
    size: int
    digest: str


class FileCount(Object, frozen=True, kw_only=True):
    """How many files there are."""

    count: int


class Files(Protocol):
    """Files of a project."""

    async def create_file(self, upload: Upload[FileRequest]) -> StoredFile:
        """Store a file."""
        ...

    async def file_content(self, file_id: str) -> FileContent:
        """The content of a file."""
        ...


class FileAdministration(Protocol):
    """Files of all projects."""

    async def file_count(self) -> FileCount:
        """How many files there are."""
        ...


CREATE_FILE: Endpoint[Nothing, FileRequest, StoredFile] = Endpoint(
    name="create_file",
    method="POST",
    path="/files",
    body=FileRequest,
    files=("file",),
    reply=StoredFile,
    max_body=8 * 1024 * 1024,
)
FILE_CONTENT: Endpoint[Nothing, Nothing, FileContent] = Endpoint(
    name="file_content", method="GET", path="/files/{file_id}/content", reply=FileContent, gives="bytes"
)
FILE_COUNT: Endpoint[Nothing, Nothing, FileCount] = Endpoint(
    name="file_count", method="GET", path="/organization/files", reply=FileCount, access="admin"
)

FILES = table_of(
    upload_operation(Files.create_file, CREATE_FILE, lambda it, path, query, body: it.create_file(body)),
    operation(Files.file_content, FILE_CONTENT, lambda it, path, query, body: it.file_content(path["file_id"])),
    operation(FileAdministration.file_count, FILE_COUNT, lambda it, path, query, body: it.file_count()),
)


class MemoryFiles(Bound):
    """Implements `Files` and `FileAdministration`. Tests read its state, and can block it."""

    def __init__(self, adapters: Adapters) -> None:
        super().__init__(adapters, DEFAULT_PROJECT)
        self.contents: dict[str, tuple[StoredFile, bytes]] = {}
        self.begun = asyncio.Event()
        """The first bytes of an upload were read."""
        self.go_on = asyncio.Event()
        """Reading may go on."""
        self.go_on.set()
        self.failures: list[Exception] = []
        """The errors of failed uploads."""
        self.failed = asyncio.Event()
        self.left = asyncio.Event()
        """A download was read to its end, or was closed."""

    async def create_file(self, upload: Upload[FileRequest]) -> StoredFile:
        name, kind, content = "", None, b""
        try:
            async for file in upload.files():
                name, kind = file.file_name, file.content_type
                async for chunk in file:
                    content += chunk
                    self.begun.set()
                    await self.go_on.wait()
            fields = await upload.fields()
        except Exception as error:
            self.failures.append(error)
            self.failed.set()
            raise
        stored = StoredFile(
            id=f"file-{len(self.contents) + 1}",
            purpose=fields.purpose,
            tags=fields.tags,
            keep_days=fields.keep_days,
            file_name=name,
            content_type=kind,
            size=len(content),
            digest=sha256(content).hexdigest(),
        )

        async def work(tx: Tx) -> StoredFile:
            return stored

        await self._write(work)
        self.contents[stored.id] = (stored, content)
        return stored

    async def file_content(self, file_id: str) -> FileContent:
        if file_id not in self.contents:
            raise NotFound(f"No file found with id '{file_id}'.")
        stored, content = self.contents[file_id]

        async def read(start: int, stop: int) -> AsyncGenerator[bytes]:
            try:
                for place in range(start, stop, 50_000):
                    yield content[place : min(place + 50_000, stop)]
                    await self.go_on.wait()
            finally:
                self.left.set()

        kind = stored.content_type or "application/octet-stream"
        return FileContent(read=read, size=len(content), content_type=kind, file_name=stored.file_name)

    async def file_count(self) -> FileCount:
        return FileCount(count=len(self.contents))


class FilesApplication:
    """An application with files as its project, and with one caller."""

    key_id = None

    def __init__(self, adapters: Adapters) -> None:
        self.files = MemoryFiles(adapters)
        self.scopes = ALL_SCOPES
        self.ready = True
        self.draining = asyncio.Event()

    async def parts(self) -> Mapping[str, bool]:
        return {"store": True, "broker": True}

    async def enter(self, credentials: Credentials) -> Any:
        return self

    @property
    def caller(self) -> Any:
        """Its only caller."""
        return self

    @property
    def project(self) -> Any:
        return self.files

    @property
    def administration(self) -> Any:
        return self.files

    @classmethod
    @asynccontextmanager
    async def running(cls) -> "AsyncIterator[FilesApplication]":
        adapters = adapters_of()
        await adapters.store.start()
        try:
            yield cls(adapters)
        finally:
            await adapters.store.stop()

    @classmethod
    @contextmanager
    def served(cls) -> Iterator[str]:
        """The URL of a server of this application, which runs in a thread of its own."""
        url: list[str] = []
        ready = threading.Event()
        stopping: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

        async def serve() -> None:
            stop = asyncio.Event()
            async with cls.running() as application, served_at(application, FILES) as address:
                url.append(address)
                stopping.append((asyncio.get_running_loop(), stop))
                ready.set()
                await stop.wait()

        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        assert ready.wait(10)
        try:
            yield url[0]
        finally:
            [(loop, stop)] = stopping
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)
