"""Requests that this process refused because the store was away. Their retries count as first attempts.

A client that counts its retries sends no key. Its retry is answered with the reply of an equal earlier request. After a
refusal that earlier request would be another one: an equal one of another caller, or the same words said a second time.
"""

from collections import deque

from msgspec.structs import replace

from runstead.domain.idempotency import MINUTE, IdempotentRequest

__all__ = ["RefusedRequests"]

_MAX_REQUESTS = 10_000
"""Different requests that are remembered. When there are more, all are forgotten."""


class RefusedRequests:
    """Remembers refused requests for a minute, as long as their retries may be taken for those of earlier ones."""

    def __init__(self) -> None:
        self._refused: dict[tuple[str, bytes], deque[int]] = {}
        """When each was refused, in unix seconds."""

    def add(self, request: IdempotentRequest, now: int) -> None:
        """Remember a refused request, for which nothing was written."""
        if request.client_key:
            return
        if len(self._refused) >= _MAX_REQUESTS:
            self._refused.clear()
        self._refused.setdefault((request.key, request.digest), deque()).append(now)

    def as_sent(self, request: IdempotentRequest, now: int) -> IdempotentRequest:
        """The request; as a first attempt, if it retries a refused one."""
        name = (request.key, request.digest)
        times = self._refused.get(name) if request.may_be_retry else None
        if times is None:
            return request
        refused_at = times.popleft()
        if not times:
            del self._refused[name]
        return request if now - refused_at > MINUTE else replace(request, may_be_retry=False)
