"""What every list gives back."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

__all__ = ["PageOf"]

T_co = TypeVar("T_co", covariant=True)


class PageOf(Protocol[T_co]):
    """Some items of a list, in the order asked for.

    `first_id` and `last_id` are cursors for `before` and `after`, None when the page is empty. `has_more` tells
    whether there are more items in the direction of travel.
    """

    @property
    def data(self) -> Sequence[T_co]: ...
    @property
    def first_id(self) -> str | None: ...
    @property
    def last_id(self) -> str | None: ...
    @property
    def has_more(self) -> bool: ...
