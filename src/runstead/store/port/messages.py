"""The port of messages."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from runstead.wire.message import Message
from runstead.wire.page import ListQuery, Page

__all__ = ["Messages", "Newest"]


class Newest(NamedTuple):
    """Some messages of a thread, newest first, and whether there are older ones."""

    messages: list[Message]
    more: bool


class Messages(Protocol):
    """The messages of all threads, each after the one inserted before, whatever their times say."""

    async def get(self, project: str, thread_id: str, message_id: str) -> Message | None: ...
    async def insert(self, project: str, messages: Sequence[Message], predecessor: str | None = None) -> None:
        """Add messages. Those with a `predecessor` join the thread when that run has ended, and take their position
        then: until then `newest` leaves them out, and they stand at the end of every page.
        """
        ...

    async def add(self, project: str, message: Message) -> bool:
        """Add a message to a thread that is locked; False if the thread has an active run."""
        ...

    async def replace(self, project: str, message: Message) -> bool: ...
    async def delete(self, project: str, thread_id: str, message_id: str) -> bool: ...
    async def page(
        self, project: str, thread_id: str, query: ListQuery, run_id: str | None = None
    ) -> Page[Message] | None: ...
    async def newest(self, project: str, thread_id: str, limit: int, before: str | None = None) -> Newest:
        """Up to `limit` messages; those older than message `before` if given. For building prompts.

        Fewer if they are large, as in a page.
        """
        ...
