"""How a transaction's coroutine is run: to its end, at once."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from runstead.store.port import Tx

__all__ = ["Work", "perform"]

T = TypeVar("T")

Work: TypeAlias = Callable[[Tx], Awaitable[T]]


def perform(work: Work[T], tx: Tx) -> T:
    """What the work returns. It awaits nothing but its tx, which never suspends here; `RuntimeError` if it does."""
    steps = work(tx).__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    steps.close()
    raise RuntimeError(f"a transaction may await nothing but the methods of its tx: {work!r} awaited something else")
