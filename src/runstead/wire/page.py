"""Lists: what a caller asks for, and the page that answers."""

from typing import Annotated, Generic, Literal, TypeAlias, TypeVar

from msgspec import Meta, field

from runstead.wire.run_step import Include
from runstead.wire.struct import Object, Request, SortOrder

__all__ = [
    "EventQuery",
    "IncludeQuery",
    "ListQuery",
    "MessageQuery",
    "Page",
    "StepQuery",
]

T = TypeVar("T")

Limit: TypeAlias = Annotated[int, Meta(ge=1, le=100)]


class Page(Object, Generic[T], frozen=True, kw_only=True):
    """Some items of a list, in the order asked for.

    `first_id` and `last_id` are cursors for `before` and `after`, null when the page is empty. `has_more` tells
    whether there are more items in the direction of travel: after the last, or with `before` ahead of the first.
    """

    object: Literal["list"] = "list"
    data: list[T]
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool = False


class ListQuery(Request, frozen=True, kw_only=True):
    """Which part of a list: cursors are ids, exclusive, relative to the order."""

    limit: Limit = 20
    order: SortOrder = SortOrder.DESC
    after: str | None = None
    before: str | None = None


class MessageQuery(ListQuery, frozen=True, kw_only=True):
    """Messages, of one run if `run_id` is given."""

    run_id: str | None = None


class IncludeQuery(Request, frozen=True, kw_only=True):
    """Extra content to include."""

    include: list[Include] = field(default_factory=list)


class StepQuery(ListQuery, frozen=True, kw_only=True):
    """Steps, with extra content to include."""

    include: list[Include] = field(default_factory=list)


class EventQuery(Request, frozen=True, kw_only=True):
    """From which event on: the events after this one, all of them without it."""

    after: str | None = None
