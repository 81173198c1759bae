"""`runstead stores` and `runstead reindex`, with the real reader, model and index."""

import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

from runstead import SearchRequest, connect
from tests.cli.conftest import Serve
from tests.support.documents import pdf

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def a_folder(path: Path) -> Path:
    """A folder with two documents, one of which is in a folder of its own, a bad file and hidden ones."""
    (path / "deeper").mkdir(parents=True)
    (path / ".git").mkdir()
    (path / "deeper" / "boats.pdf").write_bytes(pdf("Timetables", "The ferry to Bergen leaves on Mondays."))
    (path / "refunds.md").write_text("# Refunds\n\nA refund takes five working days.\n")
    (path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (path / ".hidden").write_text("hidden")
    (path / ".git" / "config").write_text("hidden too")
    return path


def test_a_folder_is_added_searched_and_indexed_again(serve: Serve, runstead: Command, tmp_path: Path) -> None:
    folder, data = a_folder(tmp_path / "documents"), tmp_path / "data"
    with serve() as served:
        at = {"RUNSTEAD_URL": served.url}
        store = runstead("stores", "create", "My documents", "--days", "7", **at).stdout.strip()
        assert store.startswith("vs_")
        said = runstead("stores", "add", store, str(folder), **at)
        assert said.returncode == 1, said.stderr
        reason = "Images, audio and video contain no text that can be searched."
        assert said.stdout == f"{folder / 'photo.png'}: {reason}\n2 of 3 files can be searched.\n"
        said = runstead("stores", "add", store, str(folder / "refunds.md"), **at)
        assert (said.returncode, said.stdout) == (0, "1 of 1 files can be searched.\n")

        lines = runstead("stores", "files", store, "--status", "failed", **at).stdout.splitlines()
        assert [line.split(maxsplit=3)[1:] for line in lines] == [["failed", "0", f"unsupported_file: {reason}"]]
        line = runstead("stores", "list", **at).stdout
        assert line.split()[:4] == [store, "completed", "3", "of"]
        assert line.endswith("My documents\n")
        seen = json.loads(runstead("stores", "get", store, **at).stdout)
        assert (seen["file_counts"]["total"], seen["expires_after"]["days"]) == (4, 7)
        found = runstead("stores", "search", store, "when does the boat leave?", "--limit", "1", **at).stdout
        score, place, *text = found.splitlines()[0].split(maxsplit=1) + found.splitlines()[1:]
        assert 0 < float(score) <= 1
        assert (place.startswith("boats.pdf, page "), "The ferry to Bergen" in "".join(text)) == (True, True)
        refused = runstead("stores", "search", "vs_1", "x", **at)
        assert (refused.returncode, refused.stderr) == (1, "Error: No vector store found with id 'vs_1'.\n")
        served.process.terminate()
        assert served.ended()[0] == 0

    said = runstead("check", "--data", str(data), "--drained")
    assert said.stdout.endswith("4 files, 1 vector store: 0 violations.\n"), said.stdout + said.stderr
    for part in data.glob("runstead-index.db*"):
        part.unlink()
    said = runstead("reindex", "--data", str(data))
    assert (said.returncode, said.stdout) == (0, "Indexed 3 files.\n"), said.stderr
    with serve() as served, connect(served.url) as client:
        page = client.search_vector_store(store, SearchRequest(query="when does the boat leave?"))
        assert page.data[0].filename == "boats.pdf"
        assert client.get_vector_store(store).file_counts.completed == 3
        assert runstead("stores", "delete", store, RUNSTEAD_URL=served.url).stdout == f"deleted {store}\n"


def test_wrong_counts_and_missing_files_are_violations(serve: Serve, runstead: Command, tmp_path: Path) -> None:
    with serve() as served, connect(served.url) as client:
        store = client.create_vector_store()
        file = client.upload_store_file(store.id, b"A refund takes five working days.")
        client.wait_for_store_file(file, 50)
        served.process.terminate()
        assert served.ended()[0] == 0
    with sqlite3.connect(tmp_path / "data" / "runstead.db") as connection:
        connection.execute("UPDATE vector_stores SET usage_bytes = 1")
        connection.execute("DELETE FROM files")
    connection.close()
    said = runstead("check", "--data", str(tmp_path / "data"))
    assert said.returncode == 1
    assert f"{store.id}: its files are " in said.stdout
    assert f"{store.id}/{file.id}: the file does not exist" in said.stdout
