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
    async def delete(self, project: str, thread_id: str) -> bool:
        """Remove the thread with its messages, runs, steps and events."""
        ...

    async def page(self, project: str, query: ListQuery) -> Page[Thread] | None: ...
