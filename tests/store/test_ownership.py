"""One process owns the file until it ends."""

import asyncio
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runstead.store.sqlite import SqliteStore
from runstead.store.sqlite.ownership import Ownership
from runstead.wire.error import RunsteadError
from tests.store.things import find_thread, keep_thread


async def test_the_error_of_a_second_opening_names_the_owner_of_the_file(store: SqliteStore, path: Path) -> None:
    with pytest.raises(RunsteadError, match=rf"runstead\.db is in use by process {os.getpid()}"):
        await SqliteStore(path).start()
    await store.write(keep_thread())
    assert await store.read(find_thread())


async def test_an_opening_that_was_refused_takes_nothing_from_the_owner(store: SqliteStore, path: Path) -> None:
    for _ in range(2):
        other = SqliteStore(path)
        with pytest.raises(RunsteadError, match="in use"):
            await other.start()
        await other.stop()


async def test_a_cancelled_stop_releases_the_file(path: Path) -> None:
    first, second = SqliteStore(path), SqliteStore(path)
    await first.start()
    writing = asyncio.gather(first.write(keep_thread()), return_exceptions=True)
    await asyncio.sleep(0)  # its commit is at work
    stopping = asyncio.gather(first.stop(), return_exceptions=True)
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    await second.start()
    await writing
    assert await second.read(find_thread())
    await second.stop()


async def test_a_link_to_the_file_is_the_file(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(path)
    with pytest.raises(RunsteadError, match=rf"link\.db is in use by process {os.getpid()}"):
        await SqliteStore(link).start()
    assert list(link.parent.iterdir()) == [link]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
@pytest.mark.parametrize(("link_owner", "folder_owner", "followed"), [(0, 9, True), (9, 9, True), (9, 0, False)])
async def test_a_link_is_followed_if_it_is_the_users_or_the_folders_owners(
    link_owner: int, folder_owner: int, followed: bool, tmp_path: Path
) -> None:
    """A planted one is not: neither the file nor its lock is made."""
    target, folder = tmp_path / "target.db", tmp_path / "folder"
    folder.mkdir()
    link = folder / "link.db"
    link.symlink_to(target)
    os.lchown(link, link_owner, -1)
    os.chown(folder, folder_owner, -1)
    store = SqliteStore(link)
    if followed:
        await store.start()
        await store.stop()
    else:
        with pytest.raises(RunsteadError, match=r"link\.db is a link of another user, and is not followed"):
            await store.start()
    assert (target.exists(), Path(f"{target}.lock").exists()) == (followed, followed)


async def test_nothing_is_left_beside_a_file_that_is_no_database(tmp_path: Path) -> None:
    text = tmp_path / "hosts"
    text.write_text("127.0.0.1 localhost\n" * 100)
    with pytest.raises(RunsteadError, match="file is not a database"):
        await SqliteStore(text).start()
    assert list(tmp_path.iterdir()) == [text]
    assert text.read_text().startswith("127.0.0.1")


async def test_a_lock_whose_file_was_undone_meanwhile_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "runstead.db.lock"
    flock = fcntl.flock

    def undone_first(file: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        lock.unlink()
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", undone_first)
    first = Ownership(str(tmp_path / "runstead.db"))
    first.take()
    with pytest.raises(RunsteadError, match="in use"):
        Ownership(str(tmp_path / "runstead.db")).take()
    first.release()


async def test_two_stores_in_memory_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = SqliteStore(":memory:"), SqliteStore(":memory:")
    await first.start()
    await second.start()
    await first.write(keep_thread())
    assert await second.read(find_thread()) is None
    await first.stop()
    await second.stop()
    assert not list(tmp_path.iterdir())


async def test_every_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = SqliteStore(tmp_path / "runstead.db")
        await store.start()
        await store.write(keep_thread())
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
        await store.stop()
    finally:
        os.umask(before)
    assert modes == dict.fromkeys((f"runstead.db{end}" for end in ("", "-shm", "-wal", ".lock")), 0o600)


@pytest.mark.parametrize("plant", [Path.symlink_to, Path.hardlink_to])
async def test_a_planted_link_in_the_place_of_the_lock_is_not_followed(
    tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    plant(tmp_path / "runstead.db.lock", precious)
    with pytest.raises(RunsteadError, match=r"runstead\.db"):
        await SqliteStore(tmp_path / "runstead.db").start()
    assert precious.read_text() == "precious"
