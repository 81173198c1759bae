"""The port over HTTP. aiohttp is imported by the first post, because importing it is slow."""

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

from runstead.outbound.address_guard import check_url
from runstead.outbound.dns import GetAddrInfo
from runstead.outbound.port import DeliveryError

if TYPE_CHECKING:
    from runstead.outbound.session import Session

__all__ = ["HttpOutbound"]


class HttpOutbound:
    """Implements `port.Outbound`. Unless `allow_private`, it connects to public addresses only."""

    def __init__(
        self, *, allow_private: bool = False, timeout: float = 10.0, lookup: GetAddrInfo = socket.getaddrinfo
    ) -> None:
        self._allow_private = allow_private
        self._timeout = timeout
        self._lookup = lookup
        self._session: Session | None = None

    async def start(self) -> None:
        """Do nothing: the first post opens the session."""

    async def stop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def check(self, url: str) -> None:
        check_url(url, allow_private=self._allow_private)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        self.check(url)
        if self._session is None:
            self._session = self._open_session()
        return await self._session.post(url, headers, body)

    def _open_session(self) -> "Session":
        try:
            from runstead.outbound.session import Session  # noqa: PLC0415 (importing aiohttp is slow)
        except ModuleNotFoundError as error:
            raise DeliveryError(f"{error.name} is not installed here: pip install 'runstead[server]'") from error
        return Session(allow_private=self._allow_private, timeout=self._timeout, lookup=self._lookup)
