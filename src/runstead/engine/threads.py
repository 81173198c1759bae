"""Threads, over the store."""

from runstead.domain import creation, ids, moves
from runstead.domain.change import Change
from runstead.engine.bound import Bound, page_of, the_thread
from runstead.engine.commit import numbered
from runstead.engine.half_done import half_done
from runstead.engine.ports import Ports
from runstead.store.port import RunRow, Tx
from runstead.wire.message import Message
from runstead.wire.page import Page
from runstead.wire.struct import UNSET, SortOrder
from runstead.wire.thread import Thread, ThreadDeleted, ThreadRequest, ThreadUpdate

__all__ = ["Threads", "new_thread"]


class Threads(Bound):
    """Implements `interface.Threads`."""

    async def create_thread(self, request: ThreadRequest | None = None) -> Thread:
        made, messages = new_thread(self._ports, request or ThreadRequest())

        async def work(tx: Tx) -> Thread:
            await tx.threads.insert(self._project, made)
            if messages:
                await tx.messages.insert(self._project, messages)
            return made

        return await self._write(work)

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

        async def work(tx: Tx) -> tuple[RunRow, Change] | None:
            await the_thread(tx, self._project, thread_id)
            active = await tx.runs.active(self._project, thread_id)
            row = await tx.runs.load(active.id) if active else None
            stopped = (row, moves.abandon(row.run, *await half_done(tx, row), self._ports.now())) if row else None
            await tx.threads.delete(self._project, thread_id)
            return stopped

        stopped = await self._write(work)
        if stopped is not None:
            row, change = stopped
            await self._ports.broker.interrupt(row.run.id)
            # Nobody stored these, but who follows the run shall not wait for what never comes.
            await self._ports.broker.publish(row.run.id, numbered(change.events, row.seq + len(change.events)))
        return ThreadDeleted(id=thread_id)

    async def threads(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: str | None = None,
        before: str | None = None,
    ) -> Page[Thread]:
        return await self._read(
            lambda tx: page_of(
                "thread", limit, order, after, before, lambda query: tx.threads.page(self._project, query)
            )
        )


def new_thread(ports: Ports, request: ThreadRequest) -> tuple[Thread, list[Message]]:
    """The thread that a request asks for, with its first messages."""
    now = ports.now()
    made = creation.thread(request, ports.new_id("thread"), now)
    first = [] if request.messages is UNSET else request.messages
    return made, [creation.message(message, ports.new_id("msg"), made.id, now) for message in first]
