"""Replies as JSON, of which large ones are encoded part by part: a text of 60 MB would hold the event loop at once."""

import asyncio
from typing import Any

import msgspec

from runstead.wire.search import FileContentPage

__all__ = ["encoded"]

_encode = msgspec.json.Encoder().encode


async def encoded(reply: Any) -> bytes:
    """The reply as JSON. Other tasks run between the parts of a file's text."""
    if not isinstance(reply, FileContentPage):
        return _encode(reply)
    parts: list[msgspec.Raw] = []
    for part in reply.data:
        parts.append(msgspec.Raw(_encode(part)))
        await asyncio.sleep(0)
    return _encode(msgspec.structs.asdict(reply) | {"data": parts})
