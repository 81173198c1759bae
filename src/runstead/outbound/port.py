"""The port to the outside: a few bytes, posted to an address."""

from collections.abc import Mapping
from typing import Protocol

__all__ = ["Outbound", "Unsent"]


class Unsent(Exception):
    """It was not sent, or not answered; the message says why, and holds nothing secret."""


class Outbound(Protocol):
    """Posts to addresses that may be hostile. Nothing is followed, and of an answer nothing but its status is read."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def check(self, url: str) -> None:
        """`Unsent` if nothing will ever be posted there, whatever its name may lead to."""
        ...

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer; `Unsent` if there is none in time, or if it may not be sent there."""
        ...
