"""Messages, over the store."""

from msgspec.structs import replace

from runstead.domain import creation, guards, ids
from runstead.domain.run.change import Change
from runstead.engine import thread_queue
from runstead.engine.execution.commit import Committed, write
from runstead.engine.execution.stop import publish_stopped
from runstead.engine.file_references import check_messages
from runstead.engine.idempotency import RecordedReply, subject
from runstead.engine.resources.scope import Bound, found, page_of, the_thread
from runstead.engine.resources.store_references import attach, fills_stores
from runstead.store.port import Stale, Tx
from runstead.wire.message import Message, MessageDeleted, MessageRequest
from runstead.wire.page import ListQuery, Page
from runstead.wire.struct import UNSET, Metadata, SortOrder, UnsetType

__all__ = ["Messages"]


class Messages(Bound):
    """Implements `interface.Messages`."""

    async def create_message(self, thread_id: str, request: MessageRequest) -> Message:
        ids.check(thread_id=thread_id)
        made = creation.message(request, self._adapters.new_id("msg"), thread_id, self._adapters.now())

        async def work(tx: Tx) -> Committed | None:
            thread = await the_thread(tx, self._project, thread_id)
            await check_messages(tx, self._project, [made], made.created_at)
            await attach(tx, self._adapters, self._project, thread, [made])
            on_busy = thread_queue.on_busy_for(self._adapters, thread, request.on_busy)
            predecessor = await thread_queue.predecessor_for(tx, self._project, thread_id, on_busy)
            if predecessor is None:
                if not await tx.messages.add(self._project, made):
                    await self._check_unlocked(tx, thread_id)
                    raise Stale(thread_id)  # the active run has ended since: decide again
                return None
            await tx.messages.insert(self._project, [made], predecessor=predecessor.run.id)
            return await thread_queue.interrupt(tx, predecessor, made.created_at) if on_busy == "interrupt" else None

        interrupted = await self._write(work, lambda _: RecordedReply(made))
        self._adapters.ingest(fills_stores(None, [made]))
        if interrupted is not None:
            await publish_stopped(self._adapters, interrupted)
        return made

    async def get_message(self, thread_id: str, message_id: str) -> Message:
        ids.check(thread_id=thread_id, message_id=message_id)
        return await self._read(lambda tx: self._message(tx, thread_id, message_id))

    async def update_message(
        self, thread_id: str, message_id: str, metadata: Metadata | None | UnsetType = UNSET
    ) -> Message:
        ids.check(thread_id=thread_id, message_id=message_id)

        async def work(tx: Tx) -> Message:
            message = await self._message(tx, thread_id, message_id)
            if metadata is UNSET:
                return message
            message = replace(message, metadata=metadata or {})
            if message.status == "in_progress" and message.run_id is not None:
                await self._replace_open(tx, thread_id, message.run_id, message)
            else:
                await tx.messages.replace(self._project, message)
            return message

        return await self._write(work)

    async def delete_message(self, thread_id: str, message_id: str) -> MessageDeleted:
        ids.check(thread_id=thread_id, message_id=message_id)

        async def work(tx: Tx) -> None:
            await self._message(tx, thread_id, message_id)
            await self._check_unlocked(tx, thread_id)
            await tx.messages.delete(self._project, thread_id, message_id)
            await tx.idempotency.erase(self._project, subject(thread_id, message_id))

        await self._write(work)
        return MessageDeleted(id=message_id)

    async def messages(
        self,
        thread_id: str,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: str | None = None,
        before: str | None = None,
        run_id: str | None = None,
    ) -> Page[Message]:
        ids.check(thread_id=thread_id)
        if run_id is not None:
            ids.check_characters(run_id=run_id)
        query = ListQuery(limit=limit, order=order, after=after, before=before)

        async def work(tx: Tx) -> Page[Message]:
            return await page_of(
                "message",
                query,
                lambda query: tx.messages.page(self._project, thread_id, query, run_id),
                lambda: the_thread(tx, self._project, thread_id),
            )

        return await self._read(work)

    async def _message(self, tx: Tx, thread_id: str, message_id: str) -> Message:
        await the_thread(tx, self._project, thread_id)
        message = await tx.messages.get(self._project, thread_id, message_id)
        return found("message", message_id, message)

    async def _replace_open(self, tx: Tx, thread_id: str, run_id: str, message: Message) -> None:
        """Replace a message that a run is writing, with a change of the run: so its owner reads the message again."""
        row = await tx.runs.get(self._project, thread_id, run_id)
        if row is None:
            await tx.messages.replace(self._project, message)
        else:
            await write(tx, row, Change(run=row.run, messages=[message]), self._adapters.now())

    async def _check_unlocked(self, tx: Tx, thread_id: str) -> None:
        active = await tx.runs.active(self._project, thread_id)
        if active is not None:
            raise guards.thread_locked(thread_id, active.id)
