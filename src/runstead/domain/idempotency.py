"""Idempotency: which POST is a retry of an earlier one, and is answered with the earlier reply.

A client that got no answer sends its request again, without knowing whether the first one was carried out. A retry is
recognised in one of two ways:

- By its `Idempotency-Key` (`with_key`). A key names one request for a day, or for some minutes if a client made it for
  its own retries. The same key with another request is an error.
- By its retry count (`with_retry_count`), for clients that send no key but count their retries. A first attempt is
  always carried out. A retry repeats the last request about its thread if that was the same request, less than a
  minute ago. A retry of a request that creates a thread repeats the only identical request of the last minute, unless
  the new thread has been used since. When in doubt the request is carried out: a duplicate is better than a reply that
  belongs to another caller.
"""

import hashlib

from msgspec import Struct

from runstead.wire.error import BadRequest
from runstead.wire.idempotency import is_retry_key

__all__ = [
    "DAY",
    "MINUTE",
    "RETRIES",
    "IdempotentRequest",
    "Replay",
    "digest",
    "is_retry",
    "last_request_key",
    "with_key",
    "with_retry_count",
]

DAY = 24 * 3600
MINUTE = 60
RETRIES = 15 * MINUTE
"""Seconds for which a key is kept that a client made for its own retries: longer than these take by default."""
_MAX_KEY_LENGTH = 255


class Replay(Exception):
    """The request is a retry. Raised instead of carrying it out a second time."""

    def __init__(self, answer: bytes, seq: int) -> None:
        super().__init__("retry of a request that was carried out")
        self.answer = answer
        """The JSON reply of the earlier request."""
        self.seq = seq
        """If the reply is a run: the number of the run's last event before the earlier request."""


class IdempotentRequest(Struct, frozen=True, kw_only=True):
    """How a request is recognised when it is retried."""

    key: str
    """The key of its idempotency record."""
    digest: bytes
    """A digest of the request."""
    lifetime: int
    """Seconds for which its record is kept."""
    client_key: bool = False
    """The client sent the key, so another request under it is an error."""
    may_be_retry: bool = True
    """False for a first attempt of a client that counts its retries."""
    creates_thread: bool = False
    """It names no thread, and its reply may be a new one."""


def with_key(key: str, digest: bytes) -> IdempotentRequest:
    """A request with an `Idempotency-Key`. `BadRequest` if the key is empty, too long or not printable ASCII."""
    if not (0 < len(key) <= _MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise BadRequest(
            f"Invalid 'Idempotency-Key': expected 1 to {_MAX_KEY_LENGTH} printable ASCII characters.",
            param="Idempotency-Key",
            code="invalid_idempotency_key",
        )
    lifetime = RETRIES if is_retry_key(key) else DAY
    return IdempotentRequest(key=f"key {key}", digest=digest, lifetime=lifetime, client_key=True)


def with_retry_count(retries: int, digest: bytes, thread_id: str | None) -> IdempotentRequest:
    """A request without a key, from a client that has retried it `retries` times; about the thread, if it names one."""
    return IdempotentRequest(
        key=last_request_key(thread_id) if thread_id else f"made {digest.hex()}",
        digest=digest,
        lifetime=MINUTE,
        may_be_retry=retries > 0,
        creates_thread=thread_id is None,
    )


def last_request_key(thread_id: str) -> str:
    """The key of the record of the last request about a thread that came with a retry count."""
    return f"last {thread_id}"


def digest(*parts: bytes) -> bytes:
    """A digest of what a request asks for. Parts that are split differently have different digests."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d " % len(part))
        digest.update(part)
    return digest.digest()


def is_retry(request: IdempotentRequest, digest: bytes, *, ambiguous: bool) -> bool:
    """Whether a request retries the one whose record has `digest`; `BadRequest` if its key belongs to another request.

    A record is `ambiguous` if two identical requests may be meant by it.
    """
    same = request.digest == digest
    if request.client_key and not same:
        raise BadRequest(
            "This 'Idempotency-Key' was used for another request within the last day. "
            "Repeat that request unchanged, or use a new key.",
            param="Idempotency-Key",
            code="idempotency_key_reused",
        )
    return same and request.may_be_retry and not ambiguous
