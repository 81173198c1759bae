"""Masks secrets in error messages of a model server before they reach a run's `last_error`, the log or the database."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import quote, quote_plus

__all__ = ["Mask", "secrets_in"]

_MIN_LENGTH = 8
"""Shorter values are placeholders such as `none`, or plain words such as `prod`: masking them would garble messages."""
_MASKED = "***"
_PUBLIC = frozenset(
    {
        "accept", "accept-language", "anthropic-version", "api-version", "content-type", "http-referer", "user-agent",
        "x-title",
    }
)  # fmt: skip
"""Headers and query parameters whose values are no secrets, so that error messages may quote them."""
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|ApiKey|Key)\s+(?=\S)", re.IGNORECASE)


class Mask:
    """Replaces secrets with `***`: as they are, quoted for a URL or JSON, in base64, and in any case of letters.

    Secrets shorter than eight characters are not replaced.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
        # A longer spelling first: it may contain a shorter one.
        words = sorted((word for word in spellings if len(word) >= _MIN_LENGTH), key=lambda word: (-len(word), word))
        self._pattern = re.compile("|".join(map(re.escape, words)), re.IGNORECASE) if words else None

    def __call__(self, text: str) -> str:
        return text if self._pattern is None else self._pattern.sub(_MASKED, text)


def secrets_in(named: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The values of headers or query parameters that may be secrets: whole, and without a scheme before them."""
    for name, value in named:
        if name.lower() not in _PUBLIC:
            yield value
            yield _SCHEME.sub("", value, count=1)
            yield from _user_and_password(value)


def _user_and_password(value: str) -> Iterator[str]:
    basic = re.fullmatch(r"Basic\s+(\S+)", value, re.IGNORECASE)
    with suppress(ValueError):  # not in base64, or no text in it
        decoded = base64.b64decode(basic[1], validate=True).decode() if basic else ""
        yield decoded
        yield decoded.partition(":")[2]


def _spellings(secret: str) -> Iterator[str]:
    if len(secret) < _MIN_LENGTH:
        return
    yield secret
    yield secret.strip()
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    data = secret.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        # Without its padding, as part of a longer text.
        yield encode(data).decode().rstrip("=")
