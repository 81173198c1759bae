"""Rules of the source tree: short modules, specific names, a docstring in each."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "runstead"
MODULES = sorted(SOURCE.rglob("*.py"))
MAX_LINES = 400
VAGUE_NAMES = {"base", "common", "core", "helper", "helpers", "manager", "misc", "util", "utils"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_has_at_most_400_lines(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_has_a_docstring(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text()))


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_has_a_specific_name(module: Path) -> None:
    words = {part.removesuffix(".py").strip("_") for part in module.relative_to(SOURCE).parts}
    assert not words & VAGUE_NAMES


def test_every_folder_of_modules_is_a_package() -> None:
    assert not [name(module.parent) for module in MODULES if not (module.parent / "__init__.py").exists()]
