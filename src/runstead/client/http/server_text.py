"""Text of a server, made safe to show in an error or a log line. No IO."""

from collections.abc import Sequence

from runstead.wire.control_characters import escape_control

__all__ = ["MAX_SHOWN", "TextSanitizer", "safe_text"]

MAX_SHOWN = 4096
"""Characters of a server's text that an error shows."""

_SHORTEST_SECRET = 8
"""Characters. A shorter one cannot be secret, and would be found in ordinary words."""


def safe_text(text: str, limit: int = MAX_SHOWN) -> str:
    """The text with its control characters escaped, and cut after `limit` characters."""
    return escape_control(text if len(text) <= limit else text[:limit] + "…")


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
