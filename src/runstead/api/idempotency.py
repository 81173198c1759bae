"""Idempotency by headers: which requests are retries of an earlier one.

A retry is recognised by its `Idempotency-Key`, or by the retry count that official clients send instead. Two requests
are the same if their method, path, query and body are, byte for byte; without a key, also their sender.
"""

from collections.abc import Callable, Mapping

from starlette.types import Scope

from runstead.domain.idempotency import DAY, IdempotentRequest, digest, with_key, with_retry_count

__all__ = ["IDEMPOTENCY_KEYS", "REPLAYED", "idempotency_of", "safe_to_retry", "upload_idempotency_of"]

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
    """How a retry of this POST is recognised; None if its headers do not say."""
    identify = upload_idempotency_of(scope, headers, thread_id)
    return None if identify is None else identify(body)


def upload_idempotency_of(
    scope: Scope, headers: Mapping[bytes, bytes], thread_id: str | None
) -> Callable[[bytes], IdempotentRequest] | None:
    """As `idempotency_of`, while the body is not read yet: a function of the body, or of its digest."""
    key, count = headers.get(_KEY), _retry_count(headers)
    if key is None and count is None:
        return None
    target = (scope["method"].encode(), scope["path"].encode(), scope["query_string"])

    def identify(body: bytes) -> IdempotentRequest:
        if key is not None:
            return with_key(key.decode("latin-1"), digest(*target, body))
        assert count is not None
        sender = (headers.get(name, b"") for name in _SENDER)
        return with_retry_count(count, digest(*target, body, *sender), thread_id)

    return identify


def _retry_count(headers: Mapping[bytes, bytes]) -> int | None:
    number = headers.get(_RETRY_COUNT, b"")
    return int(number) if number.isdigit() and len(number) < 10 else None
