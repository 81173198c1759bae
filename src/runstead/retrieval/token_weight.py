"""How much of a text fits into a number of tokens, by the estimate of `domain.chat.tokens`, in whole characters."""

from bisect import bisect_left, bisect_right

__all__ = ["WEIGHT_OF_A_TOKEN", "end_within", "start_within", "weight"]

WEIGHT_OF_A_TOKEN = 3
"""A character weighs 1, and 2 for each byte of UTF-8 after its first. Unlike tokens, which round up, weights add up."""


def weight(text: str) -> int:
    """The weight of a text."""
    return len(text) if text.isascii() else 2 * len(text.encode("utf-8", "surrogatepass")) - len(text)


def end_within(text: str, start: int, limit: int) -> int:
    """The largest end so that `text[start:end]` weighs at most `limit`."""
    part = text[start : start + limit]
    if part.isascii():
        return start + len(part)
    return start + bisect_right(range(len(part) + 1), limit, key=lambda count: weight(part[:count])) - 1


def start_within(text: str, end: int, limit: int) -> int:
    """The smallest start so that `text[start:end]` weighs at most `limit`."""
    first = max(0, end - limit)
    part = text[first:end]
    if part.isascii():
        return first
    return first + bisect_left(range(len(part) + 1), -limit, key=lambda skipped: -weight(part[skipped:]))
