"""Pagination: the queries of lists, and the page that a list returns."""

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
    """Some items of a list, in the requested order.

    `first_id` and `last_id` are cursors for `before` and `after`; they are null if the page is empty. `has_more` says
    whether there are more items after the last one; in a page requested with `before`, ahead of the first one.
    """

    object: Literal["list"] = "list"
    data: list[T]
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool = False


class ListQuery(Request, frozen=True, kw_only=True):
    """Which page of a list. The cursors `after` and `before` are ids, exclusive, and relative to the order."""

    limit: Limit = 20
    order: SortOrder = SortOrder.DESC
    after: str | None = None
    before: str | None = None


class MessageQuery(ListQuery, frozen=True, kw_only=True):
    """Which messages; with `run_id`, only those that this run wrote."""

    run_id: str | None = None


class IncludeQuery(Request, frozen=True, kw_only=True):
    """Which optional content to include."""

    include: list[Include] = field(default_factory=list)


class StepQuery(ListQuery, frozen=True, kw_only=True):
    """Which steps, and which optional content to include."""

    include: list[Include] = field(default_factory=list)


class EventQuery(Request, frozen=True, kw_only=True):
    """Which events: those after the event with this id, or all; and which optional content to include."""

    after: str | None = None
    include: list[Include] = field(default_factory=list)
