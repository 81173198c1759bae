"""The body of a request, up to a limit."""

from collections.abc import Mapping

from starlette.types import Receive

from runstead.wire.error import TooLarge

__all__ = ["Disconnected", "read_body"]


class Disconnected(Exception):
    """The client left before it had sent its request."""


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    """The whole body; `TooLarge` as soon as it is known to be over `limit`, announced or not."""
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return b"".join([*chunks, chunk]) if chunks else chunk
        chunks.append(chunk)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body of your request is too large. At most {limit} bytes are read.", code="body_too_large")
