"""The port for outgoing HTTP: a small body, posted to a URL that a caller chose."""

from collections.abc import Mapping
from typing import Protocol

__all__ = ["DeliveryError", "Outbound"]


class DeliveryError(Exception):
    """A request was not sent, or not answered. The message says why and contains no secrets."""


class Outbound(Protocol):
    """Posts to URLs that may be hostile. Redirects are not followed, and only the status of a reply is read."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def check(self, url: str) -> None:
        """Raise `DeliveryError` if the URL can never be posted to, whatever its host name resolves to."""
        ...

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Post `body`, and return the status of the reply.

        `DeliveryError` if no reply arrives in time, or if the address is private and not allowed.
        """
        ...
