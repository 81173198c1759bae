"""Requests that may come again, as their headers tell: by a key, or by the number of tries before.

The number is what official clients send with every request; they send no key. What a request asks for is its method,
address and body, byte for byte, and for one without a key also who sends it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, cast

from starlette.types import Scope

from runstead.api.port import Project
from runstead.domain.idempotency import DAY, IdempotentRequest, Replay, digest, with_key, with_retry_count
from runstead.wire.event import RawEvent

__all__ = ["KEEPS", "REPLAYED", "begun", "idempotency_of", "safe_to_retry"]

KEEPS = (b"idempotency-keys", b"%d" % DAY)
"""Tells clients that keys are kept, and for how many seconds: so they may repeat what has one."""
REPLAYED = ((b"idempotent-replayed", b"true"),)
"""Marks an answer that was given before."""

_KEY = b"idempotency-key"
_TRIES = b"x-stainless-retry-count"
_SENDER = (b"authorization", b"user-agent")


def safe_to_retry(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether it does no harm to send this request once more."""
    return method != "POST" or _KEY in headers or _tries(headers) is not None


def idempotency_of(
    scope: Scope, headers: Mapping[bytes, bytes], body: bytes, thread_id: str | None
) -> IdempotentRequest | None:
    """How a POST is known when it comes again; None if its headers do not tell."""
    target = (scope["method"].encode(), scope["path"].encode(), scope["query_string"], body)
    key = headers.get(_KEY)
    if key is not None:
        return with_key(key.decode("latin-1"), digest(*target))
    tries = _tries(headers)
    if tries is None:
        return None
    sender = (headers.get(name, b"") for name in _SENDER)
    return with_retry_count(tries, digest(*target, *sender), thread_id)


def _tries(headers: Mapping[bytes, bytes]) -> int | None:
    number = headers.get(_TRIES, b"")
    return int(number) if number.isdigit() and len(number) < 10 else None


async def begun(
    project: Project, name: str, arguments: dict[str, Any]
) -> tuple[AsyncIterator[Sequence[RawEvent]], bool]:
    """The events of a streaming call, and whether it was made before. What is wrong with it is raised here."""
    batches = project.stream(name, **arguments)
    try:
        return _behind(await anext(batches), batches), False
    except Replay as repeated:
        return project.again(repeated), True


async def _behind(
    first: Sequence[RawEvent], batches: AsyncIterator[Sequence[RawEvent]]
) -> AsyncGenerator[Sequence[RawEvent]]:
    """All batches, the first of them being there already."""
    async with aclosing(cast("AsyncGenerator[Sequence[RawEvent]]", batches)):
        yield first
        async for batch in batches:
            yield batch
