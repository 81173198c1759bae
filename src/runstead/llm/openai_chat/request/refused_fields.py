"""Finds the field of a request that an error answer refuses, in any of the shapes that servers use."""

import re
from collections.abc import Container, Iterator, Sequence
from functools import cache
from typing import Any

from runstead.model_server.json_document import NotJSON, TooLarge, decode

__all__ = ["is_unknown_field", "refused_fields"]

_MAX_DEPTH = 12
_UNKNOWN = re.compile(
    r"unsupported|not support|n't support|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|forbidden"
    r"|cannot find field|deprecated|unavailable|instead",
    re.IGNORECASE,
)
_TOO_LARGE = re.compile(r"too large|too long|at most|exceed|maximum|greater|less than", re.IGNORECASE)


def refused_fields(body: bytes, sent: Container[str], candidates: Sequence[str]) -> list[str]:
    """Those of `candidates` that the error answer `body` refuses; `sent` are all fields of the request.

    A field that the answer names by its position (`param`, `loc`) is certain. If it names none so, the result is the
    first candidate that its words mention: they often name several fields, and leaving out one can be enough.
    """
    answer = _decoded(body)
    named = [name for name in _named(answer, 0) if name in sent]
    if named:
        return [name for name in candidates if name in named]
    words = " ".join(_words(answer, 0))
    return [name for name in candidates if _mention(name).search(words)][:1]


def is_unknown_field(body: bytes) -> bool:
    """Whether the error answer says that the server does not know a field, not that its value is wrong."""
    words = " ".join(_words(_decoded(body), 0))
    return bool(_UNKNOWN.search(words)) and not _TOO_LARGE.search(words)


def _decoded(body: bytes) -> Any:
    try:
        return decode(body)
    except (NotJSON, TooLarge):
        return body.decode("utf-8", "replace")


def _named(answer: Any, depth: int) -> Iterator[str]:
    """The fields that an answer names by their position in the request."""
    for name, value in _members(answer, depth):
        if name == "param" and isinstance(value, str):
            yield re.split(r"[.\[]", value, maxsplit=1)[0]
        elif name == "loc" and isinstance(value, list):
            # In pydantic's errors the first part is `body`.
            yield from [part for part in value[:2] if isinstance(part, str)]
        else:
            yield from _named(value, depth + 1)


def _words(answer: Any, depth: int) -> Iterator[str]:
    """All texts of an answer, except the part of the request that it repeats."""
    if isinstance(answer, str):
        yield answer
    for name, value in _members(answer, depth):
        if name != "input":
            yield from _words(value, depth + 1)


def _members(answer: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """The members of an object, or the items of a list. Gateways put the answer of another server into a text."""
    if isinstance(answer, str) and answer.lstrip()[:1] in {"{", "["}:
        inner = _decoded(answer.encode())
        answer = None if isinstance(inner, str) else inner
    if depth > _MAX_DEPTH:
        return
    if isinstance(answer, dict):
        yield from answer.items()
    elif isinstance(answer, list):
        yield from (("", item) for item in answer)


@cache
def _mention(name: str) -> re.Pattern[str]:
    """The name in a text: as a word of its own, also in camel case or with spaces."""
    return re.compile(rf"(?<![a-z0-9_]){re.escape(name).replace('_', '[_ ]?')}(?![a-z0-9_])", re.IGNORECASE)
