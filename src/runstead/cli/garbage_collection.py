"""Garbage collection in portions: a pass never walks over all objects of thousands of runs.

A waiting run has about a hundred objects that the collector walks over, so a full pass takes 0.7 s with 10,000 runs,
and nothing else happens meanwhile. Here every full pass exempts what survives it (`gc.freeze`). So the next one walks
over the objects of the time in between alone.

```
new objects ─▶ generations 0 and 1 ─▶ generation 2, a portion ─▶ exempt
                                                                   │ every ten minutes, if few objects live; once a day
                                                                   ▼
                                                              a pass over all
```
Exempt objects are freed as ever when their last reference goes. Exempt cycles are found by the pass over all.
"""

import asyncio
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collected_in_portions"]

_PORTION = 1
"""Passes over generation 1 before one over generation 2, which then walks over 15,000 objects: 10 to 30 ms."""
_PERIOD = 600.0
"""Seconds between two looks whether few objects live."""
_FEW = 100_000
"""Blocks of memory above those of an idle process: a pass over all takes less than 50 ms."""
_MAX_POSTPONED = 24 * 3600 / _PERIOD
"""Looks after which the pass over all happens in any case, or else a process that is never idle would leak."""


@contextmanager
def collected_in_portions() -> Iterator[None]:
    """Collect garbage in portions inside the block, which runs on an event loop. What exists before it, such as the
    imported modules, is exempt from the start.
    """
    thresholds = gc.get_threshold()
    portions = _Portions()
    gc.callbacks.append(_exempt_survivors)
    gc.set_threshold(*thresholds[:2], _PORTION)
    portions.collect_all()
    portions.look_later()
    try:
        yield
    finally:
        portions.stop()
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(_exempt_survivors)
        gc.unfreeze()


class _Portions:
    """Passes over all objects, when they are short."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._blocks = 0
        self._postponed = 0

    def collect_all(self) -> None:
        """Collect all garbage."""
        gc.unfreeze()
        gc.collect()
        gc.collect()  # over nothing: Python delays a pass until a quarter of the last one's survivors are new
        self._blocks = self._blocks or sys.getallocatedblocks()
        self._postponed = 0

    def look_later(self) -> None:
        """Look again and again, until stopped."""
        self._timer = self._loop.call_later(_PERIOD, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._postponed += 1
        if sys.getallocatedblocks() < self._blocks + _FEW or self._postponed >= _MAX_POSTPONED:
            self.collect_all()
        self.look_later()


def _exempt_survivors(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()
