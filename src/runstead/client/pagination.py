"""Cursors: the query of the next page, and the order of its items. No IO."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from runstead.interface.page import PageOf
from runstead.wire.page import ListQuery

__all__ = ["first_id", "in_iteration_order", "last_id", "next_query"]

T = TypeVar("T")


def first_id(page: PageOf[Any]) -> str | None:
    """The id of a page's first item, also where the server does not send `first_id`."""
    return page.first_id or (getattr(page.data[0], "id", None) if page.data else None)


def last_id(page: PageOf[Any]) -> str | None:
    """The id of a page's last item, also where the server does not send `last_id`."""
    return page.last_id or (getattr(page.data[-1], "id", None) if page.data else None)


def next_query(page: PageOf[Any], query: ListQuery) -> ListQuery | None:
    """The query of the page after this one, or None at the end of the list."""
    cursor = page.first_id if _backwards(query) else page.last_id
    # A server that returns the same cursor again would make the iteration endless.
    if not page.has_more or cursor is None or cursor in {query.after, query.before}:
        return None
    return replace(query, before=cursor) if _backwards(query) else replace(query, after=cursor)


def in_iteration_order(items: Sequence[T], query: ListQuery) -> Iterable[T]:
    """The items of a page in the order in which the iteration yields them."""
    return reversed(items) if _backwards(query) else items


def _backwards(query: ListQuery) -> bool:
    return query.before is not None and query.after is None
