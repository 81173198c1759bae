"""Chat completions messages: their text, and ids for their tool calls."""

import secrets
import string
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["last_text_of_role", "new_call_id", "text_of"]

_CALL_ID_ALPHABET = string.digits + string.ascii_letters


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, whether its content is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def last_text_of_role(role: str, messages: Sequence[Mapping[str, Any]]) -> str:
    """The text of the newest message with this role; empty if there is none."""
    return next((text_of(message) for message in reversed(messages) if message.get("role") == role), "")


def new_call_id() -> str:
    """`call_` and 24 random letters or digits."""
    return "call_" + "".join(secrets.choice(_CALL_ID_ALPHABET) for _ in range(24))
