"""The index file: its mode, and its recovery when it is missing, damaged, or its writer is killed."""

import asyncio
import logging
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from runstead.retrieval.index.sqlite import SqliteIndex
from runstead.retrieval.index.sqlite.schema import SCHEMA, VERSION
from runstead.retrieval.index.terms import document_terms
from runstead.wire.error import Closed, RunsteadError, Unreachable
from runstead.wire.filter import EqualFilter
from tests.contract.index.passages import chunks_of, entry, fill, found, search, vectors
from tests.retrieval.index.killed_writer import CHUNKS, texts
from tests.support.waiting import until, within


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    index = SqliteIndex(tmp_path / "folder" / "index.db")
    await index.start()
    await fill(index, entry("file_1"), ["a heron"])
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "folder").iterdir()} == {0o600}
    await index.stop()


async def test_a_killed_writer_leaves_whole_files(tmp_path: Path) -> None:
    path, first = tmp_path / "index.db", 0
    for lines in (3, 1, 4):
        process = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "tests.retrieval.index.killed_writer"),
            *(str(path), str(first)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        async with within():
            printed = [int(await process.stdout.readline()) for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        rest = await process.stdout.read()
        await process.wait()
        last = int(rest.split()[-1]) if rest.split() else printed[-1]

        index = SqliteIndex(path)
        await index.start()
        published = {file: int(version) for file, version in (await index.published("proj_1", "vs_1")).items()}
        # The next one may have been published before its line was printed.
        newest = max(published.values())
        assert newest in {last, last + 1}
        assert published == {f"file_{number % 5}": number for number in range(max(0, newest - 4), newest + 1)}
        assert await index.size("proj_1", "vs_1") == CHUNKS * len(published)
        for number in published.values():
            hits = await search(index, f"document{number}", seed=texts(number)[-1], limit=50)
            assert {hit.chunk.text for hit in hits if hit.score > 0.8} == set(texts(number))
            assert hits[0].chunk.text == texts(number)[-1]
        await index.stop()
        first = newest + 1


async def test_removed_rows_are_deleted(tmp_path: Path) -> None:
    index = SqliteIndex(tmp_path / "index.db")
    await index.start()
    for version in ("1", "2"):
        names = [f"wagtail {number}" for number in range(450)]
        await fill(index, entry("file_1", version), names, {"a": 1}, seeds=names)
    await index.add(entry("file_1", "3"), chunks_of(["a staged wagtail"]), vectors(["x"]))
    await index.remove_store("proj_1", "vs_1")

    def rows() -> dict[str, int]:
        with closing(sqlite3.connect(tmp_path / "index.db")) as connection:
            tables = ("chunks", "vectors", "attributes")
            counts = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
            match = "SELECT count(*) FROM postings WHERE postings MATCH '\"1:wagtail\"'"
            return counts | {"postings": connection.execute(match).fetchone()[0]}

    await until(lambda: rows() == {"chunks": 0, "vectors": 0, "attributes": 0, "postings": 0})
    await index.stop()


@pytest.mark.parametrize("damage", ["garbage", "empty", "cut", "another version", "pages"])
async def test_a_damaged_file_is_replaced_by_an_empty_one(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "index.db"
    index = SqliteIndex(path)
    await index.start()
    await fill(index, entry("file_1"), [f"plover {number}" for number in range(200)])
    await index.stop()
    match damage:
        case "garbage":
            path.write_bytes(b"no database" * 1000)
        case "empty":
            path.write_bytes(b"")
        case "cut":
            path.write_bytes(path.read_bytes()[:5000])
        case "another version":
            with closing(sqlite3.connect(path)) as connection:
                connection.execute(f"PRAGMA user_version = {VERSION + 1}")
        case _:  # the head is whole, so it shows when the pages are read
            raw = bytearray(path.read_bytes())
            for page in range(1, len(raw) // 4096):
                raw[page * 4096 : page * 4096 + 200] = b"\xa5" * 200
            path.write_bytes(raw)
    with caplog.at_level(logging.WARNING, "runstead.index"):
        index = SqliteIndex(path)
        await index.start()
        try:
            assert await index.published("proj_1", "vs_1") == {}
        except RunsteadError as error:
            assert "is damaged" in str(error)  # noqa: PT017 - one kind of damage may show later
            await index.stop()
            await index.start()
            assert await index.published("proj_1", "vs_1") == {}
    assert "`runstead reindex` fills it again" in caplog.text
    await fill(index, entry("file_1"), ["a plover again"])
    assert await found(index, "plover") == ["a plover again"]
    await index.stop()


async def test_a_file_that_cannot_be_opened_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "index.db").mkdir()
    with pytest.raises(Unreachable, match="cannot open the search index"):
        await SqliteIndex(tmp_path / "index.db").start()
    assert (tmp_path / "index.db").is_dir()


async def test_an_index_without_a_path_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    index = SqliteIndex(None)
    await index.start()
    await fill(index, entry("file_1"), ["a dipper"], {"a": 1})
    assert len(await search(index, "dipper", filters=EqualFilter(key="a", value=1))) == 1
    assert len(list(tmp_path.iterdir())) == 1
    await index.stop()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Closed):
        await index.size("proj_1", "vs_1")


async def test_stores_that_do_not_fit_into_memory_are_dropped(tmp_path: Path) -> None:
    names = [f"passage {number}" for number in range(100)]
    index = SqliteIndex(tmp_path / "index.db", memory=2 * 256 * 384 * 2 + 20_000)
    await index.start()
    for store in range(5):
        await fill(index, entry("file_1", store=f"vs_{store}"), names, seeds=names)
    sizes = []
    for store in (0, 1, 2, 3, 4, 0):
        assert (await search(index, seed=names[store], stores=[f"vs_{store}"]))[0].chunk.text == names[store]
        assert index._open is not None
        sizes.append(index._open.loaded.size)
    assert max(sizes) <= index._memory < 3 * sizes[0]
    await index.stop()


def test_every_term_is_one_token_of_the_full_text_index() -> None:
    """Whatever characters a term has: otherwise its list would be another one's."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        characters = [chr(code) for code in range(1, 0x20000) if not 0xD800 <= code < 0xE000]
        terms = sorted(document_terms(*("x" + "".join(characters[i : i + 40]) + "x" for i in range(0, 131000, 40))))
        assert len(terms) > 20_000
        connection.execute("INSERT INTO postings (rowid, terms) VALUES (1, ?)", (" ".join(f"7:{t}" for t in terms),))
        for number, term in enumerate(terms):
            if number % 7 == 0:
                match = f'"7:{term}"'
                rows = connection.execute("SELECT rowid FROM postings WHERE postings MATCH ?", (match,)).fetchall()
                assert rows == [(1,)], term
