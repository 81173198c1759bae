"""Idempotency: a request is carried out once, and its reply is recorded in the transaction of its work.

```
api/idempotency     the key: the header, or a digest of the request where retries carry none
resources/scope     every write of a caller passes through `once`, in its transaction
once                no record: work, record the reply ── a record of the same request: raise Replay
api/handlers        answer Replay with the recorded reply; a stream continues after the recorded event
```
The rules (which request is a retry) are in `domain/idempotency`; the records are the rows of the table `answers`.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import msgspec

from runstead.domain.idempotency import IdempotentRequest, Replay, created_thread, is_retry, last_request_key
from runstead.store.port import IdempotencyRecord, Tx

__all__ = ["RecordedReply", "as_reply", "once"]

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


async def once(
    project: str,
    asked: IdempotentRequest,
    now: int,
    work: Callable[[Tx], Awaitable[T]],
    to_reply: Callable[[T], RecordedReply],
    tx: Tx,
) -> T:
    """Do the work and record its reply, which `to_reply` makes from its result. `Replay` if the request is a retry."""
    before = await tx.idempotency.get(project, asked.key, now)
    # A client that has used its new thread has received the reply. The same request is then a new one, not a retry.
    pending = before is not None and not (asked.creates_thread and await _thread_was_used(tx, project, before, now))
    if before is not None and pending and is_retry(asked, before.digest, ambiguous=before.ambiguous):
        raise Replay(before.body, before.seq)
    result = await work(tx)
    reply, seq = to_reply(result)
    record = IdempotencyRecord(
        digest=asked.digest,
        body=_encode(reply),
        expires_at=now + asked.lifetime,
        seq=seq,
        ambiguous=asked.creates_thread and before is not None and (pending or before.ambiguous),
    )
    await tx.idempotency.put(project, asked.key, record)
    return result


async def _thread_was_used(tx: Tx, project: str, recorded: IdempotencyRecord, now: int) -> bool:
    """Whether a request has used the thread that the recorded request created."""
    thread_id = created_thread(recorded.body)
    return thread_id is not None and await tx.idempotency.get(project, last_request_key(thread_id), now) is not None
