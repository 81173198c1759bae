"""How many tasks of a kind go on in one turn of the event loop.

When a model server answers thousands of runs in the same moment, all of their tasks are ready in the same turn, and
no timer, heartbeat or new request gets its turn before the last of them has paused. With a budget, a number of them go
on in each turn, in the order in which they became ready:

    if not budget.take():
        await budget.next_turn()
    ...                           # a short piece of work
"""

import asyncio
from collections import deque

__all__ = ["TurnBudget"]

_TASKS = 64
"""Tasks that go on in one turn: 20 ms, if each of them opens the message of an answer."""


class TurnBudget:
    """Lets `tasks` tasks go on before the loop's next turn. For one event loop."""

    def __init__(self, tasks: int = _TASKS) -> None:
        self._tasks = tasks
        self._left = tasks
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Whether a task may go on in this turn. It costs no clock and no turn of the loop: a budget that is not spent
        in one turn serves the turns after it too, so a lone task waits for a turn once in `tasks` times.
        """
        if self._waiting or not self._left:
            return False
        self._left -= 1
        return True

    async def next_turn(self) -> None:
        """Wait for a turn in which the task may go on, behind those that wait already."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._begin_turn, loop)
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _begin_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._left = self._tasks
        while self._waiting and self._left:
            turn = self._waiting.popleft()
            if not turn.done():  # or else its task was cancelled
                turn.set_result(None)
                self._left -= 1
        if self._waiting:
            loop.call_soon(self._begin_turn, loop)
