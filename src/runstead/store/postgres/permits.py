"""Permits for the connections: so many at once, given to those that wait in the order of their lanes."""

import asyncio
from collections import deque

from runstead.store.port import Lane

__all__ = ["Permits"]


class Permits:
    """A semaphore with lanes. What closes begins first; calls and runs take turns, each in the order of asking."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: dict[Lane, deque[asyncio.Future[None]]] = {lane: deque() for lane in Lane}
        self._turns: deque[Lane] = deque(lane for lane in Lane if lane is not Lane.CLOSING)

    async def take(self, lane: Lane, seconds: float | None) -> None:
        """Take a permit. `TimeoutError` when there is none within so many seconds; None waits as long as it takes."""
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[lane].append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it was given at the moment of giving up
                self.give_back()
            raise

    def give_back(self) -> None:
        """Give a permit back, to the next one that waits."""
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
                if not turn.done():  # or else its taker gave up
                    if lane is not Lane.CLOSING:
                        self._turns.remove(lane)
                        self._turns.append(lane)
                    return turn
        return None
