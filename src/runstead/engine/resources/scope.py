"""What every part of the engine's interface has: the adapters, and the one project that it may see."""

from collections.abc import Awaitable, Callable
from copy import copy
from functools import partial
from typing import Self, TypeVar

from runstead.domain.idempotency import IdempotentRequest
from runstead.engine.adapters import Adapters
from runstead.engine.idempotency import RecordedReply, as_reply, once
from runstead.store.port import Stale, Tx
from runstead.wire.error import NotFound
from runstead.wire.page import ListQuery, Page
from runstead.wire.struct import SortOrder
from runstead.wire.thread import Thread

__all__ = ["Bound", "found", "page_of", "the_thread"]

T = TypeVar("T")


class Bound:
    """Bound to a project: nothing of another one can be reached."""

    def __init__(self, adapters: Adapters, project: str) -> None:
        self._adapters = adapters
        self._project = project
        self.asked: IdempotentRequest | None = None
        """How the one call that this is for is known when it comes again."""

    def once(self, asked: IdempotentRequest) -> Self:
        """The same for one call, which is not carried out again: `Replay` if what it asks for is done already."""
        bound = copy(self)
        bound.asked = asked
        return bound

    async def _read(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = True) -> T:
        """Read; most works make one statement."""
        return await self._adapters.store.read(work, single=single)

    async def _write(
        self, work: Callable[[Tx], Awaitable[T]], told: Callable[[T], RecordedReply] = as_reply, *, single: bool = False
    ) -> T:
        """Write; when someone else was first, read and decide again. `told` is what the caller will hear of it.

        A method writes but once: all that a call asks for is done, or nothing.
        """
        if self.asked is not None:
            work, single = partial(once, self._project, self.asked, self._adapters.now(), work, told), False
        while True:
            try:
                return await self._adapters.store.write(work, single=single)
            except Stale:
                continue


def found(kind: str, id: str, item: T | None) -> T:
    """The item, or `NotFound` in the words of the API."""
    if item is None:
        raise NotFound(f"No {kind} found with id '{id[:64]}'.")
    return item


async def the_thread(tx: Tx, project: str, thread_id: str) -> Thread:
    """The thread of a path, or `NotFound`."""
    return found("thread", thread_id, await tx.threads.get(project, thread_id))


async def page_of(
    kind: str,
    limit: int,
    order: SortOrder,
    after: str | None,
    before: str | None,
    fetch: Callable[[ListQuery], Awaitable[Page[T] | None]],
    parent: Callable[[], Awaitable[object]] | None = None,
) -> Page[T]:
    """A page of a list; an unknown cursor is `NotFound`. `parent` raises `NotFound` if what the list belongs to is not
    there; a list that has items has a parent.
    """
    page = await fetch(ListQuery(limit=limit, order=order, after=after, before=before))
    if parent is not None and (page is None or not page.data):
        await parent()
    return found(kind, after or before or "", page)
