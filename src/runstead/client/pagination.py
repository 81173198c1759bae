"""Cursors: the query of the next page, and the order of its items. No IO."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from runstead.interface.page import PageOf
from runstead.wire.error import ServerError
from runstead.wire.page import ListQuery

__all__ = ["MAX_PAGES", "VisitedPages", "first_id", "in_iteration_order", "last_id", "next_query"]

T = TypeVar("T")

MAX_PAGES = 100_000
"""Pages of one iteration: ten million items, a hundred a page."""


def first_id(page: PageOf[Any]) -> str | None:
    """The id of a page's first item, also where the server does not send `first_id`."""
    return page.first_id or (getattr(page.data[0], "id", None) if page.data else None)


def last_id(page: PageOf[Any]) -> str | None:
    """The id of a page's last item, also where the server does not send `last_id`."""
    return page.last_id or (getattr(page.data[-1], "id", None) if page.data else None)


def next_query(page: PageOf[Any], query: ListQuery) -> ListQuery | None:
    """The query of the page after this one, or None at the end of the list."""
    cursor = page.first_id if _backwards(query) else page.last_id
    # A server that returns the same cursor again, or no items, would make the iteration endless.
    if not page.has_more or not page.data or cursor is None or cursor in {query.after, query.before}:
        return None
    return replace(query, before=cursor) if _backwards(query) else replace(query, after=cursor)


class VisitedPages:
    """The cursors that one iteration has visited. A repeated cursor ends the iteration."""

    def __init__(self) -> None:
        self._cursors: set[str] = set()

    def is_new(self, query: ListQuery) -> bool:
        """Whether the page of this query was not visited. `ServerError` after `MAX_PAGES`."""
        cursor = query.before if _backwards(query) else query.after
        if cursor is None or cursor in self._cursors:
            return False
        if len(self._cursors) >= MAX_PAGES - 1:
            raise ServerError(f"The list has more than {MAX_PAGES:,} pages. Iterate over larger pages.")
        self._cursors.add(cursor)
        return True


def in_iteration_order(items: Sequence[T], query: ListQuery) -> Iterable[T]:
    """The items of a page in the order in which the iteration yields them."""
    return reversed(items) if _backwards(query) else items


def _backwards(query: ListQuery) -> bool:
    return query.before is not None and query.after is None
