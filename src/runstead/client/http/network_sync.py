"""The blocking network backend: that of `httpcore2`, with limits for the whole response (`read_limits`)."""

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore2

from runstead.client.http.read_limits import ReadLimits

__all__ = ["Connection", "Network"]

_PORTION = 64 * 1024
"""Bytes of one write. The library's time-out begins anew with each write."""


class Network(httpcore2.SyncBackend):
    """Opens connections, with these limits."""

    def __init__(self, limits: ReadLimits | None = None) -> None:
        self._limits = limits or ReadLimits()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        left = self._limits.left(timeout)
        if left is not None and left <= 0:
            raise httpcore2.ConnectTimeout("No time was left for the connection.")
        return Connection(super().connect_tcp(host, port, left, local_address, socket_options), self._limits)


class Connection(httpcore2.NetworkStream):
    """One connection."""

    def __init__(self, stream: httpcore2.NetworkStream, limits: ReadLimits) -> None:
        self._stream = stream
        self._limits = limits

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, self._limits.reading(timeout))
        if self._limits.head_left is not None:
            self._limits.received(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PORTION):
            left = self._limits.left(timeout)
            if left is not None and left <= 0:
                raise httpcore2.WriteTimeout("Not everything could be sent in time.")
            self._stream.write(buffer[start : start + _PORTION], left)

    def close(self) -> None:
        # Another thread may be reading. Only a shutdown wakes it; a close does not.
        with suppress(OSError):
            self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._limits.left(timeout)
        if left is not None and left <= 0:
            raise httpcore2.ConnectTimeout("No time was left for TLS.")
        self._stream = self._stream.start_tls(ssl_context, server_hostname, left)
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
