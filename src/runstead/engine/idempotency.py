"""Work that is done once, however often it is asked for: what is answered is kept in the transaction of the work."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import msgspec

from runstead.domain.idempotency import IdempotentRequest, Replay, created_thread, is_retry, last_request_key
from runstead.store.port import IdempotencyRecord, Tx

__all__ = ["RecordedReply", "as_reply", "once"]

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


class RecordedReply(NamedTuple):
    """What a caller is told of what a work did."""

    reply: object
    seq: int = 0
    """If the reply is a run: the number of its last event before the work."""


def as_reply(result: object) -> RecordedReply:
    """The result of a work is what the caller is told."""
    return RecordedReply(result)


async def once(
    project: str,
    asked: IdempotentRequest,
    now: int,
    work: Callable[[Tx], Awaitable[T]],
    told: Callable[[T], RecordedReply],
    tx: Tx,
) -> T:
    """Do the work, and keep what is `told` of it; `Replay` if it was done before."""
    before = await tx.idempotency.get(project, asked.key, now)
    # Who has asked something about the thread that was made has heard of it, and tries no more.
    pending = before is not None and not (asked.creates_thread and await _went_on(tx, project, before, now))
    if before is not None and pending and is_retry(asked, before.digest, ambiguous=before.ambiguous):
        raise Replay(before.body, before.seq)
    result = await work(tx)
    reply, seq = told(result)
    kept = IdempotencyRecord(
        digest=asked.digest,
        body=_encode(reply),
        expires_at=now + asked.lifetime,
        seq=seq,
        ambiguous=asked.creates_thread and before is not None and (pending or before.ambiguous),
    )
    await tx.idempotency.put(project, asked.key, kept)
    return result


async def _went_on(tx: Tx, project: str, made: IdempotencyRecord, now: int) -> bool:
    """Whether something was asked about the thread that was made."""
    thread_id = created_thread(made.body)
    return thread_id is not None and await tx.idempotency.get(project, last_request_key(thread_id), now) is not None
