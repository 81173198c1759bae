"""The frames that a child process and its parent exchange through pipes.

Each frame is a length of four bytes and so many bytes. A request is a list of texts in MessagePack. An answer is the
vectors of a request, row by row, as float32 of the machine.
"""

import struct

import msgspec

__all__ = ["DIMENSION", "LENGTH", "MAX_FRAME", "MODEL", "Length", "encode_texts", "framed"]

MODEL = "use-multilingual-v3"
DIMENSION = 512
"""The length of the embedded model's vectors."""
MAX_FRAME = 16 * 2**20
"""Bytes: far more than a batch has."""

Length = struct.Struct("<I")
LENGTH = Length.size

_encoder = msgspec.msgpack.Encoder()


def encode_texts(texts: list[str]) -> bytes:
    """A request. Halves of characters become question marks, because they have no encoding."""
    try:
        return _encoder.encode(texts)
    except UnicodeEncodeError:
        return _encoder.encode([text.encode("utf-8", "replace").decode() for text in texts])


def framed(data: bytes) -> bytes:
    """The bytes with their length before them."""
    return Length.pack(len(data)) + data
