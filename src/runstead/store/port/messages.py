"""The port of messages."""

from collections.abc import Sequence
from typing import Protocol

from runstead.store.port.runs import RunRow
from runstead.wire.message import Message
from runstead.wire.page import ListQuery, Page

__all__ = ["Messages"]


class Messages(Protocol):
    """The messages of all threads, each after the one inserted before."""

    async def get(self, project: str, thread_id: str, message_id: str) -> Message | None: ...
    async def insert(
        self, project: str, messages: Sequence[Message], predecessor: str | None = None, added_by: str | None = None
    ) -> None:
        """Add messages. Those `behind` a run join the thread when it has ended: till then `newest` does not know them,
        and they stand at the end of every page. Those `added_by` a run wait where it waits.
        """
        ...

    async def promote_waiting(self, ended: RunRow) -> None:
        """A run has ended, and was released: those behind it join the thread, behind all that joined before, or wait
        behind what it waited for.
        """
        ...

    async def replace(self, project: str, message: Message) -> bool: ...
    async def delete(self, project: str, thread_id: str, message_id: str) -> bool: ...
    async def page(
        self, project: str, thread_id: str, query: ListQuery, run_id: str | None = None
    ) -> Page[Message] | None: ...
    async def newest(self, project: str, thread_id: str, limit: int, before: str | None = None) -> list[Message]:
        """Up to `limit` messages, newest first; those older than message `before` if given. For building prompts."""
        ...
