"""`runstead` with wrong clocks: `python -m tests.support.skewed MACHINE SERVER COMMAND…`, both in seconds.

The machine's clock shows MACHINE seconds beyond the right time, or less if they are negative; so does what the process
reads of the database server's clock, by SERVER seconds. SIGUSR1 moves the machine's clock to the other side: as many
seconds before the right time, or beyond it. The monotonic clock is right.
"""

import signal
import sys
import time

from runstead.__main__ import main
from runstead.store.postgres.clock import ServerClock

__all__: list[str] = []

_right = time.time  # noqa: TID251 - the clock that is made wrong


class _WrongClock:
    """Stands in for `time.time`."""

    def __init__(self, ahead: float) -> None:
        self._ahead = ahead

    def __call__(self) -> float:
        return _right() + self._ahead

    def set(self, *_: object) -> None:
        """Jump to the other side of the right time."""
        self._ahead = -self._ahead


def _run() -> None:
    machine, server = (float(sys.argv.pop(1)) for _ in range(2))
    clock, read = _WrongClock(machine), ServerClock.time
    time.time = clock  # noqa: TID251
    ServerClock.time = lambda self: read(self) + server  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR1, clock.set)
    sys.argv[0] = "runstead"
    main()


if __name__ == "__main__":
    _run()
