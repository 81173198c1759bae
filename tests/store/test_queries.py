"""The loader of the SQL."""

from pathlib import Path

import pytest

from runstead.store.tables import queries


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(queries, "_FOLDER", tmp_path)
    (tmp_path / "special").mkdir()
    (tmp_path / "runs.sql").write_text("-- name: get\n-- One run.\nSELECT 1;\n\n-- name: all\nSELECT 2;\n")
    return tmp_path


def test_statements_are_found_by_table_and_name(folder: Path) -> None:
    assert queries.load("plain") == {"runs": {"get": "-- One run.\nSELECT 1;", "all": "SELECT 2;"}}


def test_a_dialect_replaces_statements_by_name(folder: Path) -> None:
    (folder / "special" / "runs.sql").write_text("-- name: all\nSELECT 3;\n")
    assert queries.load("special")["runs"] == {"get": "-- One run.\nSELECT 1;", "all": "SELECT 3;"}
    assert queries.load("plain")["runs"]["all"] == "SELECT 2;"


def test_a_dialect_adds_no_statement(folder: Path) -> None:
    (folder / "special" / "runs.sql").write_text("-- name: al\nSELECT 3;\n")
    with pytest.raises(ValueError, match="al"):
        queries.load("special")


def test_a_name_is_given_once(folder: Path) -> None:
    (folder / "runs.sql").write_text("-- name: get\nSELECT 1;\n-- name: get\nSELECT 2;\n")
    with pytest.raises(ValueError, match="two statements"):
        queries.load("plain")
