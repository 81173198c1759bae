"""Which part of a list a query means: plain arithmetic on places.

A list is ordered by `Place`, ascending or descending. `after` names the item before the page's first one, `before` the
item after its last one. A page is read from `after` forwards; with `before` alone it is read from there backwards, and
then reversed.
"""

from typing import NamedTuple, TypeVar

from runstead.wire.page import ListQuery
from runstead.wire.struct import SortOrder

__all__ = ["HIGHEST", "LOWEST", "Place", "Span", "cut", "span"]

T = TypeVar("T")


class Place(NamedTuple):
    """Where an item stands in its list."""

    created_at: int
    seq: int
    """The order of insertion."""


LOWEST = Place(-1, 0)
"""Below every item."""
HIGHEST = Place(2**62, 0)
"""Above every item."""


class Span(NamedTuple):
    """The range to read: the items between two places, both exclusive, upwards or downwards."""

    low: Place
    high: Place
    up: bool
    turned: bool
    """The rows are read in the opposite of the requested order."""


def span(query: ListQuery, after: Place | None, before: Place | None) -> Span:
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
