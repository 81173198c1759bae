"""The port of idempotency records: the replies to requests that may be sent again."""

from typing import Protocol

from msgspec import Struct

__all__ = ["Idempotency", "IdempotencyRecord"]


class IdempotencyRecord(Struct, frozen=True, kw_only=True):
    """A reply, recorded for when its request is sent again."""

    digest: bytes
    """A digest of the request."""
    body: bytes
    """The reply. For a run it is the run's state alone; an erased one is empty."""
    expires_at: int
    """Unix time from which on the record does not count."""
    seq: int = 0
    """If the reply is a run: the number of its last event before the request."""
    subject: str | None = None
    """The object that the reply shows: `thread/object` for what belongs to a thread, else its id. None if there is no
    object, or the reply was erased.
    """
    ambiguous: bool = False
    """The same request was answered shortly before, so it is unknown which of the two a retry repeats."""


class Idempotency(Protocol):
    """The records, by project and key."""

    async def get(self, project: str, key: str, now: int) -> IdempotencyRecord | None:
        """The record that counts at `now`. In `write` the key is locked until the transaction ends, record or not: one
        transaction a key goes on at a time. To be locked before anything else.
        """
        ...

    async def put(self, project: str, key: str, record: IdempotencyRecord) -> None:
        """Write the record of a key, over the one before."""
        ...

    async def erase(self, project: str, subject: str) -> None:
        """Erase the replies that show this object, which was deleted. Their keys stay known until they expire."""
        ...

    async def prune(self, now: int, limit: int) -> int:
        """Remove records that have expired at `now`: up to `limit`, and about a megabyte. Returns their number."""
        ...
