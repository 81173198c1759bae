"""The shared base of the engine's resources: transactions, idempotency, and their project."""

from collections.abc import Awaitable, Callable
from copy import copy
from functools import partial
from typing import Self, TypeAlias, TypeVar

from runstead.domain import ids
from runstead.domain.idempotency import IdempotentRequest
from runstead.engine.adapters import Adapters
from runstead.engine.idempotency import RecordedReply, as_reply, once
from runstead.engine.refused_requests import RefusedRequests
from runstead.store.port import Stale, Tx
from runstead.wire.error import NotFound, Unconfirmed, Unreachable
from runstead.wire.page import ListQuery, Page
from runstead.wire.thread import Thread

__all__ = ["Bound", "Transactions", "found", "page_of", "the_thread"]

T = TypeVar("T")
L = TypeVar("L", bound=ListQuery)

Asked: TypeAlias = IdempotentRequest | Callable[[], IdempotentRequest]
"""How a retry of a call is recognised. A function where that is known only once the call's upload was read."""


class Transactions:
    """Reads and writes of the store. What is stored for retries is kept apart by `namespace`."""

    def __init__(self, adapters: Adapters, namespace: str) -> None:
        self._adapters = adapters
        self._namespace = namespace
        self._refused = RefusedRequests()
        self.asked: Asked | None = None
        """How a retry of the one call that this copy is for is recognised."""

    def once(self, asked: Asked) -> Self:
        """A copy for one call, which is carried out once: a retry raises `Replay`."""
        bound = copy(self)
        bound.asked = asked
        return bound

    async def _read(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = True) -> T:
        """Read; most works make one statement."""
        return await self._adapters.store.read(work, single=single)

    async def _write(
        self,
        work: Callable[[Tx], Awaitable[T]],
        to_reply: Callable[[T], RecordedReply] = as_reply,
        *,
        single: bool = False,
    ) -> T:
        """Write, once for all retries of the call. `to_reply` gives the reply to record for them.

        A method writes in one transaction: all that a call asks for is done, or nothing.
        """
        if self.asked is None:
            return await self._write_fresh(work, single=single)
        now = self._adapters.now()
        asked = self._refused.as_sent(self.asked() if callable(self.asked) else self.asked, now)
        try:
            return await self._write_fresh(partial(once, self._namespace, asked, now, work, to_reply))
        except Unreachable as error:
            if not isinstance(error, Unconfirmed):
                self._refused.add(asked, now)
            raise

    async def _write_fresh(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False) -> T:
        """Write, again from the start if another writer was first."""
        while True:
            try:
                return await self._adapters.store.write(work, single=single)
            except Stale:
                continue


class Bound(Transactions):
    """Bound to a project: no object of another project can be reached."""

    def __init__(self, adapters: Adapters, project: str) -> None:
        super().__init__(adapters, project)
        self._project = project


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
    query: L,
    fetch: Callable[[L], Awaitable[Page[T] | None]],
    parent: Callable[[], Awaitable[object]] | None = None,
) -> Page[T]:
    """A page of a list; an unknown cursor is `NotFound`.

    `parent` raises `NotFound` if the object that the list belongs to does not exist; a list with items has a parent.
    """
    known = all(ids.is_id(cursor) for cursor in (query.after, query.before) if cursor is not None)
    page = await fetch(query) if known else None
    if parent is not None and (page is None or not page.data):
        await parent()
    return found(kind, query.after or query.before or "", page)
