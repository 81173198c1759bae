"""`__all__` of every module is complete, and the client is light to import. (ruff checks that the lists are sorted.)"""

import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType
from typing import TypeVar

import runstead

DOORS = {"connect", "connect_async", "open", "open_async"}
ONLY_FOR_THE_SERVER = {
    "aiohttp",
    "aiosql",
    "asyncpg",
    "click",
    "numkong",
    "numpy",
    "python_multipart",
    "rich",
    "sqlite3",
    "starlette",
    "usearch",
    "uvicorn",
    "uvloop",
    "xllamacpp",
}


def modules() -> list[str]:
    found = pkgutil.walk_packages(runstead.__path__, "runstead.")
    return ["runstead", *(module.name for module in found if not module.name.endswith("__main__"))]


def defined(module: ModuleType) -> set[str]:
    """The public names that a module defines itself."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", None) == module.__name__
        and not isinstance(value, TypeVar)
    }


def test_every_exported_name_exists_once() -> None:
    for name in modules():
        module = importlib.import_module(name)
        exported = list(getattr(module, "__all__", []))
        assert len(exported) == len(set(exported)), name
        assert not [each for each in exported if not hasattr(module, each)], name


def test_every_public_definition_is_exported() -> None:
    loaded = {name: importlib.import_module(name) for name in modules()}
    unlisted = {name: sorted(defined(module) - set(getattr(module, "__all__", []))) for name, module in loaded.items()}
    assert {name: names for name, names in unlisted.items() if names} == {}


def test_the_package_exports_its_four_entry_points() -> None:
    assert set(runstead.__all__) >= DOORS


def test_a_client_imports_no_server_library() -> None:
    code = "import sys, runstead; runstead.connect; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & ONLY_FOR_THE_SERVER
