"""The server's signing key in its file."""

import os
from pathlib import Path

import pytest

from runstead.outbound.signing_key import KeyFile
from runstead.wire.error import RunsteadError


def test_the_first_use_creates_the_key_and_later_uses_read_it(tmp_path: Path) -> None:
    key = KeyFile(tmp_path / "runs.db")
    assert list(tmp_path.iterdir()) == []
    made = key()
    assert len(made) == 32
    assert key() == KeyFile(tmp_path / "runs.db")() == made
    assert [each.name for each in tmp_path.iterdir()] == ["runs.db.key"]


def test_only_the_owner_can_read_the_key_file(tmp_path: Path) -> None:
    KeyFile(tmp_path / "runs.db")()
    assert (tmp_path / "runs.db.key").stat().st_mode & 0o777 == 0o600


def test_two_databases_have_two_keys(tmp_path: Path) -> None:
    assert KeyFile(tmp_path / "a.db")() != KeyFile(tmp_path / "b.db")()


def test_a_database_in_memory_has_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    key = KeyFile(":memory:")
    assert key() == key()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["abcd", "", "no hexadecimal number"])
def test_an_invalid_key_file_is_an_error_and_not_replaced(tmp_path: Path, content: str) -> None:
    file = tmp_path / "runs.db.key"
    file.write_text(content)
    with pytest.raises(RunsteadError, match="Cannot use the key in .*runs.db.key"):
        KeyFile(tmp_path / "runs.db")()
    assert file.read_text() == content


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunsteadError, match="Cannot use the key in .*: No such file or directory"):
        KeyFile(tmp_path / "missing" / "runs.db")()


def test_a_planted_link_in_the_place_of_the_key_is_not_followed(tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text("ab" * 32)
    (tmp_path / "runs.db.key").symlink_to(known)
    with pytest.raises(RunsteadError, match="Cannot use the key in .*runs.db.key"):
        KeyFile(tmp_path / "runs.db")()


def test_a_planted_link_beside_the_key_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / f"runs.db.key.{os.getpid()}").symlink_to(tmp_path / "planted")
    KeyFile(tmp_path / "runs.db")()
    assert not (tmp_path / "planted").exists()
