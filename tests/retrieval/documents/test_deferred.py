"""Processes that read documents start with the first document, and none outlives a start that was cancelled."""

import asyncio
from pathlib import Path

import pytest

from runstead.retrieval.documents.deferred import DeferredReader
from runstead.retrieval.documents.port import Document, DocumentError
from tests.support.waiting import until


class SlowReader:
    """A reader whose start takes until `go_on` is set."""

    def __init__(self) -> None:
        self.starting = asyncio.Event()
        self.go_on = asyncio.Event()
        self.calls: list[str] = []

    async def start(self) -> None:
        self.starting.set()
        await self.go_on.wait()
        self.calls.append("started")

    async def stop(self) -> None:
        self.calls.append("stopped")

    async def read(self, path: Path, file_name: str) -> Document:
        self.calls.append("read")
        return Document(text=file_name, media_type="text/plain")


async def test_the_first_document_starts_the_reader(tmp_path: Path) -> None:
    inner = SlowReader()
    inner.go_on.set()
    reader = DeferredReader(lambda: inner)
    await reader.start()
    assert inner.calls == []
    assert [(await reader.read(tmp_path, name)).text for name in ("a", "b")] == ["a", "b"]
    await reader.stop()
    assert inner.calls == ["started", "read", "read", "stopped"]
    with pytest.raises(DocumentError):
        await reader.read(tmp_path, "c")


async def test_a_start_that_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    inner = SlowReader()
    reader = DeferredReader(lambda: inner)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(reader.read(tmp_path, "a"))
        await inner.starting.wait()
        reading.cancel()
        inner.go_on.set()
        await until(lambda: inner.calls == ["started", "stopped"])
    await reader.stop()
    assert inner.calls == ["started", "stopped"]
