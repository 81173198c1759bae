"""Reads the head and the body of an answer, and says what went wrong where there is none."""

import os
import ssl

import aiohttp

from runstead.model_server.failure import Failure

__all__ = ["check_status", "connection_failure", "read_body"]

_ERROR_BYTES = 64 * 1024


async def check_status(response: aiohttp.ClientResponse) -> None:
    """Raise `Failure` unless the status is a success."""
    if response.status < 300:
        return
    if response.status < 400:
        location = response.headers.get("Location", "elsewhere")
        raise Failure(f"redirects to {location}; if that is right, make it the url", status=response.status)
    try:
        body = await read_body(response, _ERROR_BYTES)
    except aiohttp.ClientError:
        body = b""
    raise Failure.with_body(response.status, body, response.headers)


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body, cut after `limit` bytes."""
    parts: list[bytes] = []
    while limit > 0 and (part := await response.content.read(limit)):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def connection_failure(error: aiohttp.ClientError | OSError) -> Failure:
    """The failure for a request without an answer. It is retryable, unless the TLS certificate was refused."""
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
        refused = isinstance(cause, ssl.SSLError | ssl.CertificateError)
        number = cause.errno or 0
        cause_text = os.strerror(number) if number > 0 and not refused else str(cause)
        return Failure(f"cannot be reached at {error.host}:{error.port}: {cause_text}", retryable=not refused)
    if isinstance(error, TimeoutError):
        return Failure("cannot be reached: connecting timed out", retryable=True)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return Failure("closed the connection without an answer", retryable=True)
    return Failure(f"gave no answer: {str(error) or type(error).__name__}", retryable=True)
