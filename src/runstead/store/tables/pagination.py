"""Which part of a list a query means: plain arithmetic on positions.

A position is the number that the database gave a row when it was inserted. No clock decides where an item stands.

A list is ordered by position, ascending or descending. `after` names the item before the page's first one, `before` the
item after its last one. A page is read from `after` forwards; with `before` alone it is read from there backwards, and
then reversed.
"""

from typing import NamedTuple, TypeVar

from runstead.wire.page import ListQuery
from runstead.wire.struct import SortOrder

__all__ = ["HIGHEST", "LOWEST", "Span", "cut", "span"]

T = TypeVar("T")


LOWEST = 0
"""Below every position."""
HIGHEST = 2**63 - 1
"""Above every position."""


class Span(NamedTuple):
    """The range to read: the items between two positions, both exclusive, upwards or downwards."""

    low: int
    high: int
    up: bool
    turned: bool
    """The rows are read in the opposite of the requested order."""


def span(query: ListQuery, after: int | None, before: int | None) -> Span:
    """The range to read for a query, given the positions of its cursors."""
    ascending = query.order is SortOrder.ASC
    turned = before is not None and after is None
    low, high = (after, before) if ascending else (before, after)
    return Span(low or LOWEST, high or HIGHEST, ascending != turned, turned)


def cut(items: list[T], limit: int, *, turned: bool) -> tuple[list[T], bool]:
    """The page out of up to `limit + 1` items, in the order asked for, and whether there are more."""
    page = items[:limit]
    if turned:
        page.reverse()
    return page, len(items) > limit
