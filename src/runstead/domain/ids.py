"""Ids: what they look like, and telling one kind from another.

An id is a prefix and 24 letters and digits: eight of time, so that rows made together lie together in every index,
and sixteen of chance (95 bits).
"""

from runstead.wire.error import BadRequest

__all__ = ["check", "make"]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KINDS = {
    "assistant_id": "asst",
    "thread_id": "thread",
    "message_id": "msg",
    "run_id": "run",
    "step_id": "step",
}


def make(prefix: str, milliseconds: int, chance: int) -> str:
    """The id `prefix_…` of a moment; `chance` is a random number below 62**16."""
    return f"{prefix}_{_digits(milliseconds, 8)}{_digits(chance, 16)}"


def check(**ids: str) -> None:
    """`BadRequest` if an id is not of the kind that its parameter's name says."""
    for name, id in ids.items():
        prefix = _KINDS[name]
        if not id.startswith(prefix):
            raise BadRequest(
                f"Invalid '{name}': '{id[:64]}'. Expected an ID that begins with '{prefix}'.",
                param=name,
                code="invalid_value",
            )


def _digits(number: int, width: int) -> str:
    digits: list[str] = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
