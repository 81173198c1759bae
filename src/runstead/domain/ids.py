"""Ids: what they look like, and telling one kind from another.

An id is a prefix and 24 letters and digits: eight of time, so that rows made together lie together in every index,
and sixteen of chance (95 bits).
"""

from functools import lru_cache

from runstead.wire.error import BadRequest

__all__ = ["check", "make"]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_BASE = len(_PAIRS)
_KINDS = {
    "assistant_id": "asst",
    "thread_id": "thread",
    "message_id": "msg",
    "run_id": "run",
    "step_id": "step",
    "webhook_id": "webhook",
    "delivery_id": "evt",
}


def make(prefix: str, milliseconds: int, chance: int) -> str:
    """The id `prefix_…` of a moment; `chance` is a random number below 62**16."""
    return f"{prefix}_{_moment(milliseconds)}{_digits(chance, 16)}"


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


@lru_cache(maxsize=1)
def _moment(milliseconds: int) -> str:
    """The digits of a moment, which many ids share."""
    return _digits(milliseconds, 8)


def _digits(number: int, width: int) -> str:
    """A number in base 62, padded to an even width; two digits at a time, because a run makes a dozen ids."""
    pairs: list[str] = []
    for _ in range(width // 2):
        number, pair = divmod(number, _BASE)
        pairs.append(_PAIRS[pair])
    return "".join(reversed(pairs))
