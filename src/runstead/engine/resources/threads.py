"""Threads, over the store."""

from runstead.domain import creation, guards, ids
from runstead.engine.adapters import Adapters
from runstead.engine.execution.commit import Committed, publish
from runstead.engine.execution.stop import stop_unowned
from runstead.engine.resources.scope import Bound, page_of, the_thread
from runstead.store.port import Tx
from runstead.wire.message import Message
from runstead.wire.page import ListQuery, Page
from runstead.wire.struct import UNSET, SortOrder
from runstead.wire.thread import Thread, ThreadDeleted, ThreadRequest, ThreadUpdate

__all__ = ["Threads", "new_thread"]


_MAX_STOPPED = 100
"""Runs that one transaction ends."""


class Threads(Bound):
    """Implements `interface.Threads`."""

    async def create_thread(self, request: ThreadRequest | None = None) -> Thread:
        made, messages = new_thread(self._adapters, request or ThreadRequest())

        async def work(tx: Tx) -> Thread:
            await tx.threads.insert(self._project, made)
            if messages:
                await tx.messages.insert(self._project, messages)
            return made

        return await self._write(work, single=not messages)

    async def get_thread(self, thread_id: str) -> Thread:
        ids.check(thread_id=thread_id)
        return await self._read(lambda tx: the_thread(tx, self._project, thread_id))

    async def update_thread(self, thread_id: str, request: ThreadUpdate) -> Thread:
        ids.check(thread_id=thread_id)

        async def work(tx: Tx) -> Thread:
            after = creation.updated_thread(await the_thread(tx, self._project, thread_id), request)
            await tx.threads.replace(self._project, after)
            return after

        return await self._write(work)

    async def delete_thread(self, thread_id: str) -> ThreadDeleted:
        ids.check(thread_id=thread_id)
        deleted = False
        while not deleted:  # a long queue is ended in several transactions, the last of which deletes the thread
            deleted = await self._delete(thread_id)
        return ThreadDeleted(id=thread_id)

    async def _delete(self, thread_id: str) -> bool:
        """End the newest runs of the queue, and delete the thread if none is left. Returns whether it was deleted."""

        async def work(tx: Tx) -> list[Committed]:
            await the_thread(tx, self._project, thread_id)
            stopped = await self._stopped(tx, thread_id)
            if len(stopped) < _MAX_STOPPED:
                await tx.threads.delete(self._project, thread_id, self._adapters.now())
            return stopped

        ended = await self._write(work)
        for stopped in ended:
            await self._adapters.broker.interrupt(stopped.row.run.id)
            await publish(self._adapters, stopped)
        return len(ended) < _MAX_STOPPED

    async def threads(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: str | None = None,
        before: str | None = None,
    ) -> Page[Thread]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return await self._read(
            lambda tx: page_of("thread", query, lambda query: tx.threads.page(self._project, query))
        )

    async def _stopped(self, tx: Tx, thread_id: str) -> list[Committed]:
        """End unfinished runs of the thread, the last of the queue first. Their rows go with the thread, but followers
        and webhooks receive their end.
        """
        stopped: list[Committed] = []
        while len(stopped) < _MAX_STOPPED:
            row = await tx.runs.queue_tail(self._project, thread_id)
            if row is None:
                break
            stopped.append(await stop_unowned(tx, row, self._adapters.now()))
        return stopped


def new_thread(adapters: Adapters, request: ThreadRequest, param: str = "messages") -> tuple[Thread, list[Message]]:
    """The thread that a request asks for, with its first messages; `param` is what these are called in it."""
    now = adapters.now()
    first = [] if request.messages is UNSET else request.messages
    guards.check_no_on_busy(first, param)
    made = creation.thread(request, adapters.new_id("thread"), now)
    return made, [creation.message(message, adapters.new_id("msg"), made.id, now) for message in first]
