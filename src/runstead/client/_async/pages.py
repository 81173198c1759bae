"""Pagination: pages of a list, and iteration over all of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, TypeVar, overload

from runstead.client.pagination import VisitedPages, first_id, in_iteration_order, last_id, next_query
from runstead.interface.page import PageOf
from runstead.wire.page import ListQuery

__all__ = ["AsyncPage"]

T = TypeVar("T")


class AsyncPage(Sequence[T], Generic[T]):
    """A page of a list: a sequence of its own items, and an async iterator over these and all that follow.

    `len(page)`, `page[0]` and `item in page` are about this page. `async for item in page` continues to the end of the
    list, and fetches the next pages with the same limit and order. A page that was asked for with `before` iterates
    backwards: away from that item, nearest first. A page without items, or one that was already visited, is the end.
    """

    def __init__(
        self, page: PageOf[T], query: ListQuery, fetch: "Callable[[ListQuery], Awaitable[AsyncPage[T]]]"
    ) -> None:
        self.data: Sequence[T] = page.data
        """The items of this page, in the order of the query."""
        self.first_id: str | None = first_id(page)
        """The cursor for the items ahead of this page, as `before`."""
        self.last_id: str | None = last_id(page)
        """The cursor for the items behind this page, as `after`."""
        self.has_more: bool = page.has_more
        """There are more items in the direction of the iteration."""
        self._query = query
        self._fetch = fetch

    async def next_page(self) -> "AsyncPage[T] | None":
        """The next page in the direction of the iteration, or None at the end of the list."""
        query = next_query(self, self._query)
        return None if query is None else await self._fetch(query)

    async def __aiter__(self) -> AsyncIterator[T]:
        page, visited = self, VisitedPages()
        while True:
            for item in in_iteration_order(page.data, self._query):
                yield item
            query = next_query(page, page._query)
            if query is None or not visited.is_new(query):
                return
            page = await self._fetch(query)

    def __len__(self) -> int:
        return len(self.data)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self.data[index]

    def __contains__(self, item: object) -> bool:
        return item in self.data

    def __repr__(self) -> str:
        return f"<page of {len(self.data)} items{', has more' if self.has_more else ''}>"
