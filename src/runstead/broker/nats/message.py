"""What comes from a server."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

__all__ = ["Hear", "Mailbox", "Message"]


class Message(NamedTuple):
    """A message, or an answer that is none: then it has a status, such as 404, 408 or 503."""

    subject: str
    data: bytes
    reply: str
    status: str
    headers: dict[str, str]


Hear: TypeAlias = Callable[[Message], None]


class Mailbox:
    """Where the answers to one question come to."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
