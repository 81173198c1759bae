"""`runstead files`, against a real server."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Serve

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def test_files_are_uploaded_listed_read_and_deleted(serve: Serve, runstead: Command, tmp_path: Path) -> None:
    with serve() as served:
        for name, content in (("one.txt", b"one"), ("two [b].txt", os.urandom(200_000))):
            (tmp_path / name).write_bytes(content)
        files = {"RUNSTEAD_URL": served.url}
        said = runstead(
            "files",
            "upload",
            str(tmp_path / "one.txt"),
            str(tmp_path / "two [b].txt"),
            "--purpose",
            "user_data",
            **files,
        )
        assert said.returncode == 0, said.stderr
        one, two = [line.split() for line in said.stdout.splitlines()]
        assert one[1:] == ["3", "user_data", "one.txt"]
        assert two[1:] == ["200,000", "user_data", "two", "[b].txt"]

        listed = runstead("files", "list", "--url", served.url, "--limit", "1")
        assert [line.split()[0] for line in listed.stdout.splitlines()] == [two[0]]
        assert json.loads(runstead("files", "get", one[0], **files).stdout)["filename"] == "one.txt"
        assert runstead("files", "content", one[0], **files).stdout == "one"
        target = tmp_path / "copy"
        assert runstead("files", "content", two[0], "-o", str(target), **files).returncode == 0
        assert target.read_bytes() == (tmp_path / "two [b].txt").read_bytes()
        assert runstead("files", "delete", one[0], two[0], **files).stdout == f"deleted {one[0]}\ndeleted {two[0]}\n"

        refused = [
            (("get", one[0]), f"Error: No such File object: {one[0]}"),
            (("upload", str(tmp_path / "one.txt"), "--purpose", "x"), "Error: 'x' is not one of ['fine-tune', "),
            (("content", one[0], "-o", str(tmp_path / "no" / "copy")), "Error: No such File object"),
            (("upload", str(tmp_path / "missing")), "does not exist"),
        ]
        for arguments, words in refused:
            said = runstead("files", *arguments, **files)
            assert (said.returncode != 0, words in said.stderr) == (True, True), said.stderr
            assert "Traceback" not in said.stderr
    said = runstead("files", "list", "--url", "http://127.0.0.1:1")
    assert said.returncode == 1
    assert said.stderr.startswith("Error: ")
