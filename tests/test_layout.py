"""The tree keeps its shape: short files, names that say it, a docstring each."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "runstead"
MODULES = sorted(SOURCE.rglob("*.py"))
LONGEST = 400
EMPTY_NAMES = {"base", "common", "core", "helper", "helpers", "manager", "misc", "util", "utils"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_has_at_most_400_lines(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_says_what_it_is(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text()))


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_no_name_is_empty(module: Path) -> None:
    words = {part.removesuffix(".py").strip("_") for part in module.relative_to(SOURCE).parts}
    assert not words & EMPTY_NAMES


def test_every_folder_of_modules_is_a_package() -> None:
    assert not [name(module.parent) for module in MODULES if not (module.parent / "__init__.py").exists()]
