"""Idempotency: a request is carried out once, and its reply is recorded in the transaction of its work.

```
api/idempotency     the key: the header, or a digest of the request where retries carry none
resources/scope     every write of a caller passes through `once`, in its transaction
once                no record: work, record the reply ── a record of the same request: raise Replay
api/handlers        answer Replay with the recorded reply; a stream continues after the recorded event
```
The rules (which request is a retry) are in `domain/idempotency`; the records are the rows of the table `answers`.

The record of a run has the run's state alone: its settings are put in when the request is retried. When an object is
deleted, the replies that show it are erased; their keys stay.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import msgspec

from runstead.domain.idempotency import IdempotentRequest, Replay, is_retry, last_request_key
from runstead.store.port import IdempotencyRecord, Tx, WebhookRow
from runstead.wire.assistant import Assistant
from runstead.wire.codec.run_parts import Settings, encode_settings, encode_state
from runstead.wire.error import NotFound
from runstead.wire.file import File
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.run_step import RunStep
from runstead.wire.thread import Thread
from runstead.wire.vector_store import FileBatch, StoreFile, VectorStore

__all__ = ["RecordedReply", "as_reply", "once", "subject"]

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


class RecordedReply(NamedTuple):
    """The reply to record for a request."""

    reply: object
    seq: int = 0
    """If the reply is a run: the number of its last event before the work."""


def as_reply(result: object) -> RecordedReply:
    """The result of the work is the reply."""
    return RecordedReply(result)


def subject(owner_id: str, object_id: str) -> str:
    """The subject of the replies that show an object of a thread or of a vector store."""
    return f"{owner_id}/{object_id}"


async def once(
    project: str,
    asked: IdempotentRequest,
    now: int,
    work: Callable[[Tx], Awaitable[T]],
    to_reply: Callable[[T], RecordedReply],
    tx: Tx,
) -> T:
    """Do the work and record its reply, which `to_reply` makes from its result. If the request is a retry: `Replay`, or
    `NotFound` when what the reply shows was deleted.
    """
    before = await tx.idempotency.get(project, asked.key, now)
    # A client that has used its new thread has received the reply. The same request is then a new one, not a retry.
    pending = before is not None and not (asked.creates_thread and await _thread_was_used(tx, project, before, now))
    if before is not None and pending and is_retry(asked, before.digest, ambiguous=before.ambiguous):
        raise Replay(await _recorded(tx, project, before), before.seq)
    result = await work(tx)
    reply, seq = to_reply(result)
    record = IdempotencyRecord(
        digest=asked.digest,
        body=encode_state(reply) if isinstance(reply, Run) else _encode(reply),
        expires_at=now + asked.lifetime,
        seq=seq,
        subject=_subject_of(reply),
        ambiguous=asked.creates_thread and before is not None and (pending or before.ambiguous),
    )
    await tx.idempotency.put(project, asked.key, record)
    return result


def _subject_of(reply: object) -> str | None:
    match reply:
        case Run() | Message() | RunStep():
            return subject(reply.thread_id, reply.id)
        case StoreFile() | FileBatch():
            return subject(reply.vector_store_id, reply.id)
        case Thread() | Assistant() | File() | VectorStore():
            return reply.id
        case WebhookRow():
            return reply.webhook.id
        case _:
            return None


async def _recorded(tx: Tx, project: str, record: IdempotencyRecord) -> bytes:
    """The reply, as it was sent."""
    thread_id, _, object_id = (record.subject or "").partition("/")
    of_run = object_id.startswith("run_")
    row = await tx.runs.get(project, thread_id, object_id) if of_run and record.body else None
    if not record.body or (of_run and row is None) or await _is_deleted(tx, project, thread_id):
        raise NotFound("What this request made or changed was deleted.")
    if row is None:
        return record.body
    return Settings(encode_settings(row.run)).whole(record.body)


async def _thread_was_used(tx: Tx, project: str, recorded: IdempotencyRecord, now: int) -> bool:
    """Whether a request has used, or deleted, the thread that the recorded request created."""
    thread_id, _, _ = (recorded.subject or "").partition("/")
    if not recorded.body or await _is_deleted(tx, project, thread_id):
        return True
    used = thread_id.startswith("thread_") and await tx.idempotency.get(project, last_request_key(thread_id), now)
    return bool(used)


async def _is_deleted(tx: Tx, project: str, thread_id: str) -> bool:
    """Whether the thread was deleted. The replies about it are erased a little later."""
    return thread_id.startswith("thread_") and await tx.threads.get(project, thread_id) is None
