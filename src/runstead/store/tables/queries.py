"""The SQL, by name.

Every file of `sql/` holds the statements of one table, each under a line `-- name: …`. A file of the same name in
`sql/<dialect>/` replaces some of them. Values are written `:name`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

__all__ = ["Queries", "load"]

Queries: TypeAlias = Mapping[str, Mapping[str, str]]
"""Statements by table and name: `queries["runs"]["move"]`."""

_FOLDER = Path(__file__).parents[1] / "sql"
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def load(dialect: str) -> Queries:
    """All statements, as this database understands them."""
    return {file.stem: _merged(file, _FOLDER / dialect / file.name) for file in sorted(_FOLDER.glob("*.sql"))}


def _merged(common: Path, special: Path) -> Mapping[str, str]:
    queries = _parsed(common)
    if special.exists():
        replacements = _parsed(special)
        if unknown := replacements.keys() - queries.keys():
            raise ValueError(f"{special} replaces what {common} does not have: {', '.join(sorted(unknown))}")
        queries |= replacements
    return queries


def _parsed(file: Path) -> dict[str, str]:
    _, *parts = _NAME.split(file.read_text(encoding="utf-8"))
    names, statements = parts[::2], parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{file} has two statements of one name")
    return {name: statement.strip() for name, statement in zip(names, statements, strict=True)}
