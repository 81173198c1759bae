"""Idempotency keys that a client makes for its own retries of one request.

Only the client has such a key, so it is needed only while the client may still retry: a few minutes. A key of the
caller's choice may come back after a restart, and is kept for a day. A server tells both apart by the prefix; to any
other server it is a key like any other.
"""

__all__ = ["is_retry_key", "retry_key"]

_PREFIX = "runstead-retry-"


def retry_key(random: bytes) -> str:
    """A key for the retries of one request, from at least sixteen random bytes."""
    return _PREFIX + random.hex()


def is_retry_key(key: str) -> bool:
    """Whether a client made this key for its own retries."""
    return key.startswith(_PREFIX)
