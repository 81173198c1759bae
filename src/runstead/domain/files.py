"""Files: the rules for names, purposes and sizes, and their errors."""

from collections.abc import Container

from runstead.wire.codec.request_errors import elide
from runstead.wire.error import BadRequest, NotFound, TooLarge
from runstead.wire.file import MAX_FILE_SIZE, FileRequest
from runstead.wire.struct import UNSET

__all__ = [
    "MADE_BY_TOOLS",
    "UPLOADED",
    "check_purpose",
    "expiry",
    "file_too_large",
    "no_file",
    "quota_exceeded",
    "stored_name",
]

UPLOADED = ("fine-tune", "assistants", "batch", "user_data", "vision", "evals")
"""The purposes of uploads."""
MADE_BY_TOOLS = "assistants_output"

_BATCH = "batch"
_BATCH_LIFETIME = 30 * 86_400
"""Seconds after which a file of a batch expires, if its upload does not say."""
_MAX_NAME = 255
"""Characters of a name. The end of a longer one stays: it says what the file is."""
_MAX_SUFFIX = 32
_NAMELESS = "file"


def no_file(file_id: str) -> NotFound:
    """The error for an id that is no file of the project."""
    return NotFound(f"No such File object: {elide(file_id)}", param="id")


def file_too_large() -> TooLarge:
    """The error for a file of more bytes than any file may have."""
    return TooLarge(f"The file is too large. At most {MAX_FILE_SIZE} bytes are accepted.", param="file")


def quota_exceeded(max_bytes: int) -> BadRequest:
    """The error for a file that does not fit beside the others of its project."""
    return BadRequest(
        f"The files of this project would have more than {max_bytes:,} bytes together, which is its limit. "
        "Delete files that are not needed any more.",
        param="file",
        code="file_storage_exceeded",
    )


def check_purpose(purpose: str, purposes: Container[str] = UPLOADED) -> None:
    """`BadRequest` if a file cannot be uploaded for this purpose, in the words of the original API."""
    if purpose not in purposes:
        raise BadRequest(
            f"'{elide(purpose)}' is not one of {list(UPLOADED)} - 'purpose'", param="purpose", code="invalid_value"
        )


def expiry(request: FileRequest, now: int) -> int | None:
    """When a file that is uploaded at `now` expires; None for never."""
    if request.expires_after is not UNSET:
        return now + request.expires_after.seconds
    return now + _BATCH_LIFETIME if request.purpose == _BATCH else None


def stored_name(path: str) -> str:
    """A file's name without the folders that some senders put before it, and without control characters."""
    name = path.replace("\\", "/").rpartition("/")[2]
    name = "".join(letter for letter in name if letter.isprintable())
    if len(name) > _MAX_NAME:
        stem, dot, suffix = name.rpartition(".")
        ending = dot + suffix if stem and len(suffix) < _MAX_SUFFIX else ""
        name = name[: _MAX_NAME - len(ending)] + ending
    return name or _NAMELESS
