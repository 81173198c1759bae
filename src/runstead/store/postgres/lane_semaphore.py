"""A semaphore for connections, which serves waiting transactions in the order of their lanes."""

import asyncio
from collections import deque

from runstead.store.port import Lane

__all__ = ["LaneSemaphore"]


class LaneSemaphore:
    """At most `maximum` holders. The lane `CLOSING` goes first; the others take turns, each in order of arrival."""

    def __init__(self, maximum: int) -> None:
        self._free = maximum
        self._waiting: dict[Lane, deque[asyncio.Future[None]]] = {lane: deque() for lane in Lane}
        self._turns: deque[Lane] = deque(lane for lane in Lane if lane is not Lane.CLOSING)

    async def acquire(self, lane: Lane, seconds: float | None) -> None:
        """Acquire a place. `TimeoutError` when none is free within so many seconds; None waits as long as it takes."""
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[lane].append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # the place was assigned in the meantime
                self.release()
            raise

    def release(self) -> None:
        """Release a place, which goes to the next waiter."""
        turn = self._next()
        if turn is None:
            self._free += 1
        else:
            turn.set_result(None)

    def _next(self) -> "asyncio.Future[None] | None":
        for lane in (Lane.CLOSING, *self._turns):
            waiting = self._waiting[lane]
            while waiting:
                turn = waiting.popleft()
                if not turn.done():  # a done one has timed out or was cancelled
                    if lane is not Lane.CLOSING:
                        self._turns.remove(lane)
                        self._turns.append(lane)
                    return turn
        return None
