"""Work that is done once, however often it is asked for: what is answered is kept in the transaction of the work."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import msgspec

from runstead.domain.once import Once, Repeated, about, repeats, thread_made
from runstead.store.port import Kept, Tx

__all__ = ["Told", "as_it_is", "once"]

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


class Told(NamedTuple):
    """What a caller is told of what a work did."""

    reply: object
    seq: int = 0
    """If the reply is a run: the number of its last event before the work."""


def as_it_is(result: object) -> Told:
    """The result of a work is what the caller is told."""
    return Told(result)


async def once(
    project: str,
    asked: Once,
    now: int,
    work: Callable[[Tx], Awaitable[T]],
    told: Callable[[T], Told],
    tx: Tx,
) -> T:
    """Do the work, and keep what is `told` of it; `Repeated` if it was done before."""
    before = await tx.answers.get(project, asked.key, now)
    # Who has asked something about the thread that was made has heard of it, and tries no more.
    pending = before is not None and not (asked.makes and await _went_on(tx, project, before, now))
    if before is not None and pending and repeats(asked, before.digest, doubtful=before.doubtful):
        raise Repeated(before.body, before.seq)
    result = await work(tx)
    reply, seq = told(result)
    kept = Kept(
        digest=asked.digest,
        body=_encode(reply),
        expires_at=now + asked.lifetime,
        seq=seq,
        doubtful=asked.makes and before is not None and (pending or before.doubtful),
    )
    await tx.answers.keep(project, asked.key, kept)
    return result


async def _went_on(tx: Tx, project: str, made: Kept, now: int) -> bool:
    """Whether something was asked about the thread that was made."""
    thread_id = thread_made(made.body)
    return thread_id is not None and await tx.answers.get(project, about(thread_id), now) is not None
