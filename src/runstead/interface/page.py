"""The page that every list returns."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

__all__ = ["PageOf"]

T_co = TypeVar("T_co", covariant=True)


class PageOf(Protocol[T_co]):
    """Some items of a list, in the requested order.

    `first_id` and `last_id` are cursors for `before` and `after`; they are None if the page is empty. `has_more` says
    whether there are more items after the last one; in a page requested with `before`, ahead of the first one.
    """

    @property
    def data(self) -> Sequence[T_co]: ...
    @property
    def first_id(self) -> str | None: ...
    @property
    def last_id(self) -> str | None: ...
    @property
    def has_more(self) -> bool: ...
