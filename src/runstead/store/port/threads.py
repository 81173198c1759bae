"""The port of threads."""

from typing import Protocol

from runstead.wire.page import ListQuery, Page
from runstead.wire.thread import Thread

__all__ = ["Threads"]


class Threads(Protocol):
    """The threads of all projects."""

    async def get(self, project: str, thread_id: str) -> Thread | None:
        """The thread. In `write` it is locked until the transaction ends: no other write gets or deletes it."""
        ...

    async def insert(self, project: str, thread: Thread) -> None: ...
    async def replace(self, project: str, thread: Thread) -> bool: ...
    async def delete(self, project: str, thread_id: str, now: int) -> bool:
        """Remove the thread. What belongs to it is out of sight at once, and removed afterwards, by `Deletions.remove`.
        None of its runs may be active.
        """
        ...

    async def page(self, project: str, query: ListQuery) -> Page[Thread] | None: ...
