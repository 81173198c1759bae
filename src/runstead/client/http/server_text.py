"""Text of a server, made safe to show in an error or a log line. No IO."""

import re
from collections.abc import Sequence

__all__ = ["MAX_SHOWN", "TextSanitizer", "safe_text"]

MAX_SHOWN = 4096
"""Characters of a server's text that an error shows."""

# They could move a terminal's cursor, reorder the line, or end it: C0 and C1, line separators, bidirectional overrides,
# surrogates.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_SHORTEST_SECRET = 8
"""Characters. A shorter one cannot be secret, and would be found in ordinary words."""


def safe_text(text: str, limit: int = MAX_SHOWN) -> str:
    """The text with its control characters escaped, and cut after `limit` characters."""
    cut = text if len(text) <= limit else text[:limit] + "…"
    return cut if cut.isprintable() else _CONTROL.sub(_escaped, cut)


def _escaped(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]


class TextSanitizer:
    """`safe_text` that also replaces the secrets that this client sends to the server."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        kept = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        # The longest first: one secret may contain another.
        self._secrets = sorted(kept, key=len, reverse=True)

    def __call__(self, text: str, limit: int = MAX_SHOWN) -> str:
        # Replaced before the cut, which could leave a part of a secret.
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return safe_text(text, limit)

    def __repr__(self) -> str:
        return "TextSanitizer()"
