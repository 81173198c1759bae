"""The part of the port that is about requests that come again: what they were answered."""

from typing import Protocol

from msgspec import Struct

__all__ = ["Idempotency", "IdempotencyRecord"]


class IdempotencyRecord(Struct, frozen=True, kw_only=True):
    """The reply to a request that may be retried."""

    digest: bytes
    """What the request was, in short."""
    body: bytes
    """The answer, as it was sent."""
    expires_at: int
    """Unix time from which on it is forgotten."""
    seq: int = 0
    """If the answer is a run: the number of its last event before the request."""
    ambiguous: bool = False
    """Another request like it was answered shortly before: which of the two comes again, nobody can tell."""


class Idempotency(Protocol):
    """What was answered to requests that may come again, by keys."""

    async def get(self, project: str, key: str, now: int) -> IdempotencyRecord | None:
        """What is kept under the key at `now`. In `write` the key is held until the transaction ends: of those who ask
        for it, one at a time is answered. To be held before anything else.
        """
        ...

    async def put(self, project: str, key: str, record: IdempotencyRecord) -> None:
        """Keep this under the key, and what was there no longer."""
        ...

    async def prune(self, now: int, limit: int) -> int:
        """Remove up to `limit` that have expired at `now`; how many there were."""
        ...
