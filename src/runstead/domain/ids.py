"""Ids: how they are made, and the check that an id is of the right kind.

An id is a prefix and 24 letters and digits. The first eight are the time, so that rows that are created together are
close together in every index. The other sixteen are random (95 bits: each is a random byte, which makes the first eight
of the 62 characters a little more frequent). The id of a file has a dash after its prefix, and fourteen random
characters.
"""

import re
from functools import lru_cache

from runstead.wire.error import BadRequest

__all__ = ["check", "check_characters", "is_id", "make"]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGIT_OF_BYTE = bytes(ord(_DIGITS[byte % len(_DIGITS)]) for byte in range(256))
_CHARACTERS = re.compile(r"[A-Za-z0-9_-]*")
_FILE = "file"
_KINDS = {
    "assistant_id": "asst",
    "thread_id": "thread",
    "message_id": "msg",
    "run_id": "run",
    "step_id": "step",
    "webhook_id": "webhook",
    "delivery_id": "evt",
    "file_id": "file",
    "vector_store_id": "vs",
    "batch_id": "vsfb",
}


def make(prefix: str, milliseconds: int, chance: bytes) -> str:
    """A new id `prefix_…`, or `file-…`. `milliseconds` is Unix time; `chance` are sixteen random bytes."""
    digits = chance.translate(_DIGIT_OF_BYTE).decode()
    if prefix == _FILE:
        return f"{prefix}-{_moment(milliseconds)}{digits[:14]}"
    return f"{prefix}_{_moment(milliseconds)}{digits}"


def check(**ids: str) -> None:
    """Raise `BadRequest` if an id has another prefix than the name of its parameter requires, or other characters than
    ids have.
    """
    for name, id in ids.items():
        prefix = _KINDS[name]
        if not id.startswith(prefix):
            raise BadRequest(
                f"Invalid '{name}': '{id[:64]}'. Expected an ID that begins with '{prefix}'.",
                param=name,
                code="invalid_value",
            )
    check_characters(**ids)


def check_characters(**ids: str) -> None:
    """Raise `BadRequest` if a parameter has characters that no id has."""
    for name, id in ids.items():
        if not is_id(id):
            raise BadRequest(
                f"Invalid '{name}': '{id[:64]}'. "
                "Expected an ID that contains letters, numbers, underscores, or dashes, "
                "but this value contained additional characters.",
                param=name,
                code="invalid_value",
            )


def is_id(text: str) -> bool:
    """Whether the text has only characters of ids. Databases refuse some others, such as NUL."""
    return _CHARACTERS.fullmatch(text) is not None


@lru_cache(maxsize=1)
def _moment(milliseconds: int) -> str:
    """A time in eight digits of base 62. Cached, because the ids of one transaction share it."""
    digits = ""
    for _ in range(8):
        milliseconds, digit = divmod(milliseconds, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
