"""Images: which of them models are shown, by what their bytes are and not by their name."""

from collections.abc import Iterable, Sequence

from runstead.wire.content import ImageFilePart
from runstead.wire.error import BadRequest
from runstead.wire.message import Message

__all__ = ["HEAD", "MAX_IMAGE_SIZE", "check_image", "image_ids", "image_type"]

HEAD = 16
"""Bytes at the start of a file that say whether it is an image."""
MAX_IMAGE_SIZE = 20 * 1024 * 1024
"""Bytes of the largest image that a message may have."""

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def image_type(head: bytes | bytearray) -> str | None:
    """The media type of the image that begins with these bytes; None if it is none that models read."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    return "image/webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def check_image(file_id: str, kind: str | None, size: int) -> None:
    """`BadRequest` if a message cannot show this file as an image."""
    if kind is None:
        raise BadRequest(
            f"Invalid 'image_file': the file '{file_id}' is not an image. "
            "Supported images are: png, jpeg, gif, and webp.",
            param="image_file",
            code="invalid_image_format",
        )
    if size > MAX_IMAGE_SIZE:
        raise BadRequest(
            f"Invalid 'image_file': the image '{file_id}' has {size:,} bytes. At most {MAX_IMAGE_SIZE:,} are accepted.",
            param="image_file",
            code="image_too_large",
        )


def image_ids(messages: Iterable[Message]) -> Sequence[str]:
    """The ids of the files that are shown as images, each once, in the order of the messages."""
    parts = (part for message in messages for part in message.content if isinstance(part, ImageFilePart))
    return list(dict.fromkeys(part.image_file.file_id for part in parts))
