"""The sync client is generated from the async one, and the check reports every difference."""

from pathlib import Path

import pytest

from scripts import unasync

WRITTEN = '''"""Waits."""

import asyncio
from collections.abc import AsyncIterator


async def numbers(source: AsyncIterator[int]) -> list[int]:
    async with source.lock:
        await asyncio.sleep(1)
        return [number async for number in source]
'''
GENERATED = '''# Generated from client/_async/wait.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""Waits."""

import time
from collections.abc import Iterator


def numbers(source: Iterator[int]) -> list[int]:
    with source.lock:
        time.sleep(1)
        return list(source)
'''


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small client, generated once, with a table of substitutions of which every one is used."""
    monkeypatch.setattr(unasync, "ROOT", tmp_path)
    monkeypatch.setattr(unasync, "SOURCES", ("client/_async",))
    used: set[str] = set()
    unasync.synchronous(WRITTEN, used)
    monkeypatch.setattr(unasync, "SUBSTITUTIONS", [each for each in unasync.SUBSTITUTIONS if each[0].pattern in used])
    source = tmp_path / "client" / "_async"
    source.mkdir(parents=True)
    (source / "wait.py").write_text(WRITTEN)
    assert unasync.main([]) == 0
    return source.parent


def test_the_sync_file_is_the_async_file_without_async(client: Path) -> None:
    assert (client / "_sync" / "wait.py").read_text() == GENERATED


def test_generated_files_pass_the_check(client: Path) -> None:
    assert unasync.main(["--check"]) == 0


def test_an_edited_sync_file_fails_the_check(client: Path) -> None:
    (client / "_sync" / "wait.py").write_text(GENERATED + "\n# edited\n")
    assert unasync.main(["--check"]) == 1


def test_a_sync_file_without_source_fails_the_check_and_is_deleted(client: Path) -> None:
    (client / "_sync" / "left_over.py").write_text("")
    assert unasync.main(["--check"]) == 1
    unasync.main([])
    assert not (client / "_sync" / "left_over.py").exists()


def test_an_unused_substitution_fails_the_check(client: Path) -> None:
    (client / "_async" / "wait.py").write_text('"""Nothing."""\n')
    unasync.main([])
    assert unasync.main(["--check"]) == 1
