"""Idempotency: which POST is a retry of an earlier one, and is answered with the earlier reply.

A client that got no answer sends its request again, without knowing whether the first one was carried out. A retry is
recognised in one of two ways:

- By its `Idempotency-Key` (`with_key`). A key names one request for a day. The same key with another request is an
  error.
- By its retry count (`with_retry_count`), for clients that send no key but count their retries. A first attempt is
  always carried out. A retry repeats the last request about its thread if that was the same request, less than a
  minute ago. A retry of a request that creates a thread repeats the only identical request of the last minute, unless
  the new thread has been used since. When in doubt the request is carried out: a duplicate is better than a reply that
  belongs to another caller.
"""

import hashlib

import msgspec
from msgspec import Struct

from runstead.wire.error import BadRequest

__all__ = [
    "DAY",
    "MINUTE",
    "IdempotentRequest",
    "Replay",
    "about",
    "created_thread",
    "digest",
    "repeats",
    "with_key",
    "with_retry_count",
]

DAY = 24 * 3600
MINUTE = 60
_LONGEST = 255


class Replay(Exception):
    """What was asked for is done already."""

    def __init__(self, answer: bytes, seq: int) -> None:
        super().__init__("done already")
        self.answer = answer
        """What was answered."""
        self.seq = seq
        """If that is a run: the number of its last event before it was asked."""


class IdempotentRequest(Struct, frozen=True, kw_only=True):
    """A request that shall not be carried out twice."""

    key: str
    """What its answer is kept under."""
    digest: bytes
    """What it asks for, in short."""
    lifetime: int
    """Seconds for which its answer is kept."""
    named: bool = False
    """Its client has named the key."""
    again: bool = True
    """It may be a further try."""
    makes: bool = False
    """It names no thread."""


def with_key(key: str, digest: bytes) -> IdempotentRequest:
    """A request whose client names a key; `BadRequest` if that is none."""
    if not (0 < len(key) <= _LONGEST and key.isascii() and key.isprintable()):
        raise BadRequest(
            f"Invalid 'Idempotency-Key': expected 1 to {_LONGEST} printable ASCII characters.",
            param="Idempotency-Key",
            code="invalid_idempotency_key",
        )
    return IdempotentRequest(key=f"key {key}", digest=digest, lifetime=DAY, named=True)


def with_retry_count(tries: int, digest: bytes, thread_id: str | None) -> IdempotentRequest:
    """A request of a client that has with_retry_count it so often before; about this thread, if it names one."""
    key = about(thread_id) if thread_id else f"made {digest.hex()}"
    return IdempotentRequest(key=key, digest=digest, lifetime=MINUTE, again=tries > 0, makes=thread_id is None)


def about(thread_id: str) -> str:
    """The key of the last request about a thread that counted its tries."""
    return f"last {thread_id}"


def digest(*parts: bytes) -> bytes:
    """What a request asks for, in short: the same for the same bytes, and for no others."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d " % len(part))
        digest.update(part)
    return digest.digest()


def repeats(asked: IdempotentRequest, digest: bytes, *, ambiguous: bool) -> bool:
    """Whether a request is the one that was kept under its key; `BadRequest` if its key was used for another one."""
    same = asked.digest == digest
    if asked.named and not same:
        raise BadRequest(
            "This 'Idempotency-Key' was used for another request within the last day. "
            "Repeat that request unchanged, or use a new key.",
            param="Idempotency-Key",
            code="idempotency_key_reused",
        )
    return same and asked.again and not ambiguous


class _Made(Struct):
    """What tells of an answer which thread was made."""

    id: str = ""
    object: str = ""
    thread_id: str | None = None


def created_thread(answer: bytes) -> str | None:
    """The thread that a request has made, if it did, by its answer: the thread, or a run on it."""
    made = msgspec.json.decode(answer, type=_Made)
    return made.id if made.object == "thread" else made.thread_id
