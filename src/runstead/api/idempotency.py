"""Idempotency by headers: which requests are retries of an earlier one.

A retry is recognised by its `Idempotency-Key`, or by the retry count that official clients send instead. Two requests
are the same if their method, path, query and body are, byte for byte; without a key, also their sender.
"""

from collections.abc import Mapping

from starlette.types import Scope

from runstead.domain.idempotency import DAY, IdempotentRequest, digest, with_key, with_retry_count

__all__ = ["IDEMPOTENCY_KEYS", "REPLAYED", "idempotency_of", "safe_to_retry"]

IDEMPOTENCY_KEYS = (b"idempotency-keys", b"%d" % DAY)
"""The header that says for how many seconds keys are stored: so a client may retry requests that have one."""
REPLAYED = ((b"idempotent-replayed", b"true"),)
"""Marks the reply of an earlier request."""

_KEY = b"idempotency-key"
_RETRY_COUNT = b"x-stainless-retry-count"
_SENDER = (b"authorization", b"user-agent")


def safe_to_retry(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether sending the request again carries it out only once."""
    return method != "POST" or _KEY in headers or _retry_count(headers) is not None


def idempotency_of(
    scope: Scope, headers: Mapping[bytes, bytes], body: bytes, thread_id: str | None
) -> IdempotentRequest | None:
    """How a retry of this POST is recognised, by its body or the digest of its upload; None if no header says so."""
    key = headers.get(_KEY)
    if key is not None:
        return with_key(key.decode("latin-1"), digest(*_target(scope), body))
    count = _retry_count(headers)
    if count is None:
        return None
    sender = (headers.get(name, b"") for name in _SENDER)
    return with_retry_count(count, digest(*_target(scope), body, *sender), thread_id)


def _target(scope: Scope) -> tuple[bytes, bytes, bytes]:
    return scope["method"].encode(), scope["path"].encode(), scope["query_string"]


def _retry_count(headers: Mapping[bytes, bytes]) -> int | None:
    number = headers.get(_RETRY_COUNT, b"")
    return int(number) if number.isdigit() and len(number) < 10 else None
