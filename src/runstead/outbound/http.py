"""The port over HTTP: what it takes to post to a stranger's address is loaded when the first post is due."""

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

from runstead.outbound.addresses import check_url
from runstead.outbound.names import Lookup
from runstead.outbound.port import Unsent

if TYPE_CHECKING:
    from runstead.outbound.session import Session

__all__ = ["HttpOutbound"]


class HttpOutbound:
    """`port.Outbound`. Unless `allow_private`, every connection is made to an address of the public internet."""

    def __init__(
        self, *, allow_private: bool = False, timeout: float = 10.0, lookup: Lookup = socket.getaddrinfo
    ) -> None:
        self._allow_private = allow_private
        self._timeout = timeout
        self._lookup = lookup
        self._session: Session | None = None

    async def start(self) -> None:
        """Nothing is needed before the first post."""

    async def stop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def check(self, url: str) -> None:
        check_url(url, allow_private=self._allow_private)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        self.check(url)
        if self._session is None:
            self._session = self._opened()
        return await self._session.post(url, headers, body)

    def _opened(self) -> "Session":
        try:
            from runstead.outbound.session import Session  # noqa: PLC0415 (its library takes longest of all to load)
        except ModuleNotFoundError as error:
            raise Unsent(f"{error.name} is not installed here: pip install 'runstead[server]'") from error
        return Session(allow_private=self._allow_private, timeout=self._timeout, lookup=self._lookup)
