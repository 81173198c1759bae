"""Threads, over the store."""

from collections.abc import Sequence

from msgspec.structs import replace

from runstead.domain import creation, guards, ids
from runstead.engine.adapters import Adapters
from runstead.engine.execution.commit import Committed, publish
from runstead.engine.execution.stop import stop_unowned
from runstead.engine.file_references import check_messages, check_resources, files_of, with_existing_files
from runstead.engine.resources.scope import Bound, page_of, the_thread
from runstead.engine.resources.store_references import StoreReferences, fills_stores, names_stores
from runstead.store.port import Tx
from runstead.wire.message import Message
from runstead.wire.page import ListQuery, Page
from runstead.wire.struct import UNSET, SortOrder
from runstead.wire.thread import Thread, ThreadDeleted, ThreadRequest, ThreadUpdate

__all__ = ["Threads", "check_thread", "new_thread", "with_stores"]


_MAX_STOPPED = 100
"""Runs that one transaction ends."""


class Threads(Bound):
    """Implements `interface.Threads`."""

    async def create_thread(self, request: ThreadRequest | None = None) -> Thread:
        made, messages = new_thread(self._adapters, request or ThreadRequest())

        async def work(tx: Tx) -> Thread:
            await check_thread(tx, self._project, made, messages)
            thread = await with_stores(tx, self._adapters, self._project, made, messages)
            await tx.threads.insert(self._project, thread)
            if messages:
                await tx.messages.insert(self._project, messages)
            return thread

        resources = made.tool_resources
        names_none = not messages and not files_of(resources) and not names_stores(resources)
        thread = await self._write(work, single=names_none)
        self._adapters.ingest(fills_stores(resources, messages))
        return thread

    async def get_thread(self, thread_id: str) -> Thread:
        ids.check(thread_id=thread_id)

        async def work(tx: Tx) -> Thread:
            return (await self._shown_threads(tx, [await the_thread(tx, self._project, thread_id)]))[0]

        return await self._read(work)

    async def update_thread(self, thread_id: str, request: ThreadUpdate) -> Thread:
        ids.check(thread_id=thread_id)

        async def work(tx: Tx) -> Thread:
            before = await the_thread(tx, self._project, thread_id)
            await check_resources(tx, self._project, request.tool_resources, self._adapters.now())
            after = creation.updated_thread(before, request)
            if request.tool_resources is not UNSET:
                after = await with_stores(tx, self._adapters, self._project, after, ())
            await tx.threads.replace(self._project, after)
            return (await self._shown_threads(tx, [after]))[0]

        after = await self._write(work)
        self._adapters.ingest(fills_stores(creation.value_or(request.tool_resources, None)))
        return after

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

        async def work(tx: Tx) -> Page[Thread]:
            page = await page_of("thread", query, lambda query: tx.threads.page(self._project, query))
            return replace(page, data=await self._shown_threads(tx, page.data))

        return await self._read(work)

    async def _shown_threads(self, tx: Tx, threads: Sequence[Thread]) -> list[Thread]:
        return await with_existing_files(tx, self._project, threads, self._adapters.now())

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


async def check_thread(tx: Tx, project: str, thread: Thread, messages: Sequence[Message]) -> None:
    """`NotFound` if a new thread or its first messages name a file that does not exist."""
    await check_resources(tx, project, thread.tool_resources, thread.created_at)
    await check_messages(tx, project, messages, thread.created_at)


async def with_stores(tx: Tx, adapters: Adapters, project: str, thread: Thread, messages: Sequence[Message]) -> Thread:
    """A new thread with the vector stores that its resources ask for, and with the attachments of its messages."""
    stores = StoreReferences(tx, adapters, project)
    made = replace(thread, tool_resources=await stores.made(thread.tool_resources))
    return await stores.attached(made, messages)


def new_thread(adapters: Adapters, request: ThreadRequest, param: str = "messages") -> tuple[Thread, list[Message]]:
    """The thread that a request asks for, with its first messages; `param` is what these are called in it."""
    now = adapters.now()
    first = [] if request.messages is UNSET else request.messages
    guards.check_no_on_busy(first, param)
    made = creation.thread(request, adapters.new_id("thread"), now)
    return made, [creation.message(message, adapters.new_id("msg"), made.id, now) for message in first]
