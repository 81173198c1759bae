"""Statements as PostgreSQL takes them: values are `$1`, `$2`, … instead of `:name`."""

import re
from functools import cache
from typing import NamedTuple

from runstead.store.tables.queries import Queries

__all__ = ["Statement", "holding", "statement", "unheld"]

_NAME = re.compile(r"(?<!:):([a-z_]+)")
_HOLD = " FOR UPDATE"
_HELD = re.compile(r"\s+FOR UPDATE( SKIP LOCKED)?\b")


class Statement(NamedTuple):
    """A statement and its values' places."""

    text: str
    names: tuple[str, ...]
    """The name of the value for `$1`, for `$2`, and so on."""


@cache
def statement(sql: str) -> Statement:
    """A named query, translated once."""
    names = tuple(dict.fromkeys(_NAME.findall(sql)))
    return Statement(_NAME.sub(lambda found: f"${names.index(found[1]) + 1}", sql), names)


def holding(sql: str) -> str:
    """The same SELECT, holding what it finds until the transaction ends."""
    return sql.rstrip().removesuffix(";") + _HOLD


def unheld(queries: Queries) -> Queries:
    """The same statements, holding nothing: for transactions that only read."""
    return {
        table: {name: _HELD.sub("", sql) for name, sql in statements.items()} for table, statements in queries.items()
    }
