"""Rules of the source tree: short modules, specific names, a docstring in each."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "runstead"
MODULES = sorted(SOURCE.rglob("*.py"))
MAX_LINES = 400
VAGUE_NAMES = {"base", "common", "core", "helper", "helpers", "manager", "misc", "util", "utils"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parts(path: Path) -> tuple[str, ...]:
    return path.relative_to(SOURCE).parts


def test_a_module_has_at_most_400_lines() -> None:
    assert not [name(module) for module in MODULES if len(module.read_text().splitlines()) > MAX_LINES]


def test_a_module_has_a_docstring() -> None:
    assert not [name(module) for module in MODULES if not ast.get_docstring(ast.parse(module.read_text()))]


def test_a_module_has_a_specific_name() -> None:
    words = {module: {part.removesuffix(".py").strip("_") for part in parts(module)} for module in MODULES}
    assert not [name(module) for module in MODULES if words[module] & VAGUE_NAMES]


def test_every_folder_of_modules_is_a_package() -> None:
    assert not [name(module.parent) for module in MODULES if not (module.parent / "__init__.py").exists()]
