"""The blocking network backend: that of `httpcore2`, with a deadline besides the time-out of each read."""

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from time import monotonic
from typing import Any

import httpcore2

__all__ = ["Connection", "Network"]


class Network(httpcore2.SyncBackend):
    """Opens connections."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        return Connection(super().connect_tcp(host, port, timeout, local_address, socket_options))


class Connection(httpcore2.NetworkStream):
    """One connection. `AsyncConnection` says why it has `until`."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self.until: float | None = None
        """The deadline of all reads, on the monotonic clock."""
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self.until is not None:
            left = self.until - monotonic()
            if left <= 0:
                raise httpcore2.ReadTimeout("No data was received in time.")
            timeout = left if timeout is None else min(timeout, left)
        return self._stream.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        # Another thread may be reading. Only a shutdown wakes it; a close does not.
        with suppress(OSError):
            self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        self._stream = self._stream.start_tls(ssl_context, server_hostname, timeout)
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
