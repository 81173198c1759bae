"""Statements as PostgreSQL takes them: values are `$1`, `$2`, … instead of `:name`."""

import re
from functools import cache
from typing import NamedTuple

from runstead.store.tables.queries import Queries

__all__ = ["Statement", "locked", "statement", "unlocked"]

_NAME = re.compile(r"(?<!:):([a-z_]+)")
_LOCK = " FOR UPDATE"
_LOCKING = re.compile(r"\s+FOR UPDATE( SKIP LOCKED)?\b")


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


def locked(sql: str) -> str:
    """The same SELECT, locking what it finds until the transaction ends."""
    return sql.rstrip().removesuffix(";") + _LOCK


def unlocked(queries: Queries) -> Queries:
    """The same statements without locks: for transactions that only read."""
    return {
        table: {name: _LOCKING.sub("", sql) for name, sql in statements.items()}
        for table, statements in queries.items()
    }
