"""Which page comes next. No IO."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from runstead.interface.page import PageOf
from runstead.wire.page import ListQuery

__all__ = ["first_id", "last_id", "next_query", "travelled"]

T = TypeVar("T")


def first_id(page: PageOf[Any]) -> str | None:
    """The id of a page's first item; not every server says it."""
    return page.first_id or (getattr(page.data[0], "id", None) if page.data else None)


def last_id(page: PageOf[Any]) -> str | None:
    """The id of a page's last item; not every server says it."""
    return page.last_id or (getattr(page.data[-1], "id", None) if page.data else None)


def next_query(page: PageOf[Any], query: ListQuery) -> ListQuery | None:
    """What to ask for after this page, or None at the end of the list."""
    cursor = page.first_id if _backwards(query) else page.last_id
    # A server that hands out the same cursor again would keep us for ever.
    if not page.has_more or cursor is None or cursor in {query.after, query.before}:
        return None
    return replace(query, before=cursor) if _backwards(query) else replace(query, after=cursor)


def travelled(items: Sequence[T], query: ListQuery) -> Iterable[T]:
    """The items of a page in the direction of travel."""
    return reversed(items) if _backwards(query) else items


def _backwards(query: ListQuery) -> bool:
    return query.before is not None and query.after is None
