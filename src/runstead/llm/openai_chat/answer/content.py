"""Reads the content of a message: a text, or a list of parts."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from runstead.model_server.coercion import as_list, as_text, raw_text
from runstead.model_server.json_document import TooLarge

__all__ = ["MAX_PARTS", "Content", "read_content"]

MAX_PARTS = 1_000
"""Parts of a content."""
_MAX_DEPTH = 4
_TEXTS = ("text", "content", "parts", "value", "refusal")
"""The fields in which servers put the text of a part."""
_THINKING = frozenset({"thinking", "redacted_thinking", "reasoning", "thought"})


class Content(NamedTuple):
    """The text of a content, and its parts that are thinking."""

    text: str
    thinking: list[dict[str, Any]]


def read_content(value: Any) -> Content:
    """The content of a message or of a chunk. Parts that are neither text nor thinking are left out."""
    if isinstance(value, str):
        return Content(value, [])
    if not isinstance(value, dict | list):
        return Content(raw_text(value), [])
    parts = as_list(value)
    if len(parts) > MAX_PARTS:
        raise TooLarge(f"sent more than {MAX_PARTS} parts of a message at once")
    texts: list[str] = []
    thinking: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, dict) and _is_thinking(part):
            thinking.append(part)
        else:
            texts.append(_text(part))
    return Content("".join(texts), thinking)


def _is_thinking(part: Mapping[str, Any]) -> bool:
    return as_text(part.get("type")) in _THINKING or "thinking" in part or part.get("thought") is True


def _text(part: Any, depth: int = 0) -> str:
    """The text of a part, which may be inside other objects or arrays."""
    if isinstance(part, list) and depth < _MAX_DEPTH:
        return "".join(_text(each, depth + 1) for each in part[:MAX_PARTS])
    if not isinstance(part, dict):
        return raw_text(part)
    for name in _TEXTS:
        if depth < _MAX_DEPTH and (text := _text(part.get(name), depth + 1)):
            return text
    return ""
