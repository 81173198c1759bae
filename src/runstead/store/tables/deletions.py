"""The table of deletions, and the removal of what belongs to deleted threads, webhooks and vector stores.

```
a thread:   messages, replies ─▶ deliveries (pending ones may still be sent) ─▶ of each run: events, steps, itself
a webhook:  deliveries
a store:    files, batches, replies
```
Every part ends where the transaction is large enough; the next one goes on there. Events and steps are found by their
run, so the run is removed after them.
"""

import msgspec

from runstead.store.port.deletions import GRACE
from runstead.store.tables.batch import Batch
from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Session, Value

__all__ = ["SqlDeletions"]

_encode = msgspec.json.Encoder().encode

_THREAD, _WEBHOOK, _STORE = "thread", "webhook", "vector_store"
_RUNS = 50
"""Runs that are looked for at once."""
_PAUSE = 2
"""Seconds until a thread with pending deliveries is looked at again."""


class SqlDeletions:
    """`port.Deletions`, in SQL."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["deletions"]

    async def mark_thread(self, project: str, thread_id: str, now: int) -> None:
        """Record that the thread was deleted and its rows are to be removed."""
        await self._session.execute(self._queries["mark"], id=thread_id, kind=_THREAD, project=project, now=now)

    async def mark_webhook(self, project: str, webhook_id: str, now: int) -> None:
        """Record that the webhook was deleted and its deliveries are to be removed."""
        await self._session.execute(self._queries["mark"], id=webhook_id, kind=_WEBHOOK, project=project, now=now)

    async def mark_store(self, project: str, store_id: str, now: int) -> None:
        """Record that the vector store was deleted and its files' rows are to be removed."""
        await self._session.execute(self._queries["mark"], id=store_id, kind=_STORE, project=project, now=now)

    async def remove(self, now: int, rows: int, size: int) -> bool:
        found = await self._session.row(self._queries["next"], now=now)
        if found is None:
            return False
        id, kind, project, deleted_at = found
        batch = Batch(rows, size)
        if kind == _WEBHOOK:
            done = await self._remove("webhook_deliveries", batch, webhook_id=id)
        elif kind == _STORE:
            done = (
                await self._remove("store_files", batch, store_id=id)
                and await self._remove("file_batches", batch, store_id=id)
                and await self._remove("answers", batch, thread_id=id, project=project, nothing=b"")
            )
        elif now < deleted_at + GRACE and await self._session.row(self._queries["pending"], thread_id=id) is not None:
            done = False
            if await self._remove_texts(batch, project, id):
                await self._session.execute(self._queries["postpone"], id=id, next_at=now + _PAUSE)
        else:
            done = await self._remove_thread(batch, project, id)
        if done:
            await self._session.execute(self._queries["finish"], id=id)
        return True

    async def _remove_thread(self, batch: Batch, project: str, thread_id: str) -> bool:
        return (
            await self._remove_texts(batch, project, thread_id)
            and await self._remove("deliveries", batch, thread_id=thread_id)
            and await self._remove_runs(batch, thread_id)
            # While there was a run, a change of it that was under way could still add a message or record a reply.
            and await self._remove_texts(batch, project, thread_id)
        )

    async def _remove_texts(self, batch: Batch, project: str, thread_id: str) -> bool:
        """Remove the messages of a thread and the recorded replies about it."""
        return await self._remove("messages", batch, thread_id=thread_id) and await self._remove(
            "answers", batch, thread_id=thread_id, project=project, nothing=b""
        )

    async def _remove_runs(self, batch: Batch, thread_id: str) -> bool:
        while runs := await self._session.rows(self._queries["runs"], thread_id=thread_id, limit=_RUNS):
            for run_id, size in runs:
                for kind in ("events", "steps"):
                    if not await self._remove(kind, batch, run_id=run_id):
                        return False
                if not batch.take([size]):
                    return False
                await self._session.execute(self._queries["remove_run"], run_id=run_id)
        return True

    async def _remove(self, kind: str, batch: Batch, **scope: Value) -> bool:
        """Remove rows of a kind, as many as the batch may have. Returns whether all are gone."""
        while not batch.full:
            limit = batch.rows
            found = await self._session.rows(self._queries[kind], limit=limit, **scope)
            keys = [key for key, _ in found[: batch.take([size for _, size in found])]]
            if keys:
                removal = self._queries[f"remove_{kind}"]
                await self._session.execute(removal, keys=_encode(keys).decode(), **scope)
            if len(keys) == len(found) < limit:
                return True
        return False
