"""An attribute filter as an SQL condition on entries.

Attributes are rows of a table with a column for each type: `text`, `number` and `flag` (0 or 1). A condition looks up
the row of its key and compares the column of the value's type, so values of different types never match.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from runstead.retrieval.index.port import Attributes
from runstead.retrieval.index.stored_rows import storable
from runstead.wire.filter import (
    AndFilter,
    ComparisonFilter,
    EqualFilter,
    Filter,
    GreaterFilter,
    GreaterOrEqualFilter,
    InFilter,
    LessFilter,
    LessOrEqualFilter,
    NotEqualFilter,
    NotInFilter,
    OrFilter,
)

__all__ = ["AttributeRow", "Bind", "attribute_rows", "condition"]

Value: TypeAlias = str | float | bool
Bind: TypeAlias = Callable[[str | float | int], str]
"""Adds a value to the parameters of a statement and returns its placeholder."""

_OPERATORS: dict[type, str] = {
    EqualFilter: "=",
    NotEqualFilter: "=",
    GreaterFilter: ">",
    GreaterOrEqualFilter: ">=",
    LessFilter: "<",
    LessOrEqualFilter: "<=",
}


class AttributeRow(NamedTuple):
    """One attribute: its key, and the value in the column of its type."""

    key: str
    text: str | None
    number: float | None
    flag: int | None


def attribute_rows(attributes: Attributes) -> Iterator[AttributeRow]:
    """The rows for the attributes of a file."""
    for key, value in attributes.items():
        column, stored = _typed(value)
        given: dict[str, str | float | int] = {column: stored}
        yield AttributeRow(
            storable(key),
            str(stored) if column == "text" else None,
            float(stored) if column == "number" else None,
            int(stored) if "flag" in given else None,
        )


def condition(given: Filter, table: str, entry: str, bind: Bind) -> str:
    """The condition, with the values bound. `table` has the attributes and `entry` is the number of the entry."""
    return _condition(given, table, entry, bind).text


class _Condition(NamedTuple):
    """A condition, and the levels of the tree that a database makes of it."""

    levels: int
    text: str


def _condition(given: Filter, table: str, entry: str, bind: Bind) -> _Condition:
    if isinstance(given, AndFilter | OrFilter):
        word = "AND" if isinstance(given, AndFilter) else "OR"
        return _joined(word, [_condition(member, table, entry, bind) for member in given.filters])
    return _Condition(1, _comparison(given, table, entry, bind))


def _joined(word: str, members: Sequence[_Condition]) -> _Condition:
    """The members in an order that makes few levels.

    `a AND b AND c` is read as `(a AND b) AND c`, so a member is deeper the further it is from the end. SQLite refuses
    trees of more than 1,000 levels.
    """
    ordered = sorted(members)
    levels = max(member.levels + len(ordered) - place for place, member in enumerate(ordered))
    return _Condition(levels, f"({f' {word} '.join(member.text for member in ordered)})")


def _comparison(given: ComparisonFilter, table: str, entry: str, bind: Bind) -> str:
    if isinstance(given, InFilter | NotInFilter):
        compared = _one_of(given.value, bind)
    else:
        column, value = _typed(given.value)
        compared = f"a.{column} {_OPERATORS[type(given)]} {bind(value)}"
    negated = "NOT " if isinstance(given, NotEqualFilter | NotInFilter) else ""
    row = f"SELECT 1 FROM {table} AS a WHERE a.entry = {entry} AND a.key = {bind(storable(given.key))}"  # noqa: S608
    return f"{negated}EXISTS ({row} AND ({compared}))"


def _one_of(values: Iterable[Value], bind: Bind) -> str:
    columns: dict[str, list[str]] = {}
    for value in values:
        column, stored = _typed(value)
        columns.setdefault(column, []).append(bind(stored))
    return " OR ".join(f"a.{column} IN ({', '.join(bound)})" for column, bound in columns.items()) or "1 = 0"


def _typed(value: Value) -> tuple[str, str | float | int]:
    """The column of a value's type, and the value as that column has it."""
    if isinstance(value, str):
        return "text", storable(value)
    if isinstance(value, bool):
        return "flag", int(value)
    return "number", float(value)
