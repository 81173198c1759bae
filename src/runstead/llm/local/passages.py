"""Passages of files in the results of functions, for a model that cannot handle their markers.

The embedded model mixes passages up if it gets many, and writes no markers. So it gets one passage: the one that has
most words in common with the question. Its marker is put behind the answer, if the answer has words of the passage.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runstead.llm.chat_messages import last_text_of_role, text_of
from runstead.llm.local.words import words

__all__ = ["Passage", "best_passage", "citation"]

_MARKER = re.compile(r"^(【[0-9]+:[0-9]+†[^\n】]*】)[^\n]*\n", re.MULTILINE)
_MIN_COMMON = 2
"""Words that an answer and a passage have in common, at least, for a citation."""
_MAX_LENGTH = 1_500
"""Characters of a passage that the model gets."""


class Passage(NamedTuple):
    """A passage with its marker."""

    marker: str
    text: str


def best_passage(result: str, question: str) -> Passage | None:
    """The passage of a result that fits a question best; None if the result has no passages."""
    parts = _MARKER.split(result)
    passages = [Passage(marker, text.strip()) for marker, text in zip(parts[1::2], parts[2::2], strict=True)]
    asked = words(question)
    best = max(passages, key=lambda passage: len(asked & words(passage.text)), default=None)
    return None if best is None else best._replace(text=best.text[:_MAX_LENGTH])


def citation(answer: str, messages: Sequence[Mapping[str, Any]]) -> str:
    """The marker to put behind an answer; empty if it is from no passage."""
    if not messages or messages[-1].get("role") != "tool":
        return ""
    passage = best_passage(text_of(messages[-1]), last_text_of_role("user", messages))
    if passage is None or len(words(answer) & words(passage.text)) < _MIN_COMMON:
        return ""
    return passage.marker
