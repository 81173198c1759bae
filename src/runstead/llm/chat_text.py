"""The words of chat-completion messages."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["last_said_by", "text_of"]


def text_of(message: Mapping[str, Any]) -> str:
    """A message's text, whether its content is a text or parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def last_said_by(role: str, messages: Sequence[Mapping[str, Any]]) -> str:
    """The text of the newest message of a role; empty if there is none."""
    return next((text_of(message) for message in reversed(messages) if message.get("role") == role), "")
