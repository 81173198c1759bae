"""Garbage collection in portions: a pass never walks over all objects of thousands of runs.

A waiting run has about a hundred objects that the collector walks over, so a full pass takes 0.7 s with 10,000 runs,
and nothing else happens meanwhile. Here every second pass exempts what survives it (`gc.freeze`). So no pass walks over
more than the objects since then.

```
new objects ─▶ generation 0 ─▶ generation 1, a portion ─▶ exempt
      └────────── too many for one pass ─────────────────▶ │ every ten minutes, if few objects live; once a day
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

_THRESHOLDS = (10_000, 0, 1_000_000)
"""A pass at each 10,000th new object, over 10,000 and 20,000 objects in turn: 5 to 30 ms. Python's default is a pass at
each 700th. A run makes thousands of objects, and no cycles. With a pass at fewer, the objects of 64 runs at once would
start one again and again.
"""
_LAST = 1
"""The generation whose survivors are exempt."""
_MAX_OBJECTS = 30_000
"""Objects that a pass may walk over. Python counts what is new less what was freed, so there are more of them when the
objects of thousands of runs are replaced.
"""
_PERIOD = 600.0
"""Seconds between two looks whether few objects live."""
_FEW = 50_000
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
    portions.collect_all()
    gc.set_threshold(*_THRESHOLDS)
    gc.callbacks.append(portions.limit)
    portions.look_later()
    try:
        yield
    finally:
        portions.stop()
        gc.callbacks.remove(portions.limit)
        gc.set_threshold(*thresholds)
        gc.unfreeze()


class _Portions:
    """Limits each pass, and makes those over all objects when they are short."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._blocks = 0
        self._postponed = 0
        self._all = False

    def limit(self, phase: str, info: dict[str, int]) -> None:
        """Exempt what survives a second pass, and what is too much for one: called by the collector."""
        if self._all:
            return
        if phase == "stop":
            if info["generation"] >= _LAST:
                gc.freeze()
        elif sum(len(gc.get_objects(number)) for number in range(info["generation"] + 1)) > _MAX_OBJECTS:
            gc.freeze()

    def collect_all(self) -> None:
        """Collect all garbage."""
        gc.unfreeze()
        self._all = True
        gc.collect()
        gc.freeze()
        gc.collect()  # over nothing: Python delays a pass until a quarter of the last one's survivors are new
        self._all = False
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
