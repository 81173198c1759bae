"""Thinking at the beginning of the text, between tags: some servers send it so instead of in a field of its own."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

__all__ = ["ThinkTags"]

_TAGS: Mapping[str, str] = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<seed:think>": "</seed:think>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
}
"""The tag that begins the thinking, and the one that ends it."""
_ALL_TAGS = (*_TAGS, *_TAGS.values())
_FIRST_CHARACTERS = frozenset(tag[0] for tag in _ALL_TAGS)

_State: TypeAlias = Literal["beginning", "thinking", "behind", "text"]


class ThinkTags:
    """Separates the thinking from the text of one answer. It is `opened` if the prompt ended with the first tag.

    Text that may begin a tag is held back until that is decided. White space before the text is held back too.
    """

    def __init__(self, *, opened: bool = False) -> None:
        self._state: _State = "thinking" if opened else "beginning"
        self._held: list[str] = []
        self._blank = True
        """Whether only white space is held back."""
        self._end_tag = _TAGS["<think>"]
        self._tail = ""
        self._thought: list[str] = []

    @property
    def thought(self) -> str:
        """The thinking so far, with its tags and the white space around them; empty if there is none."""
        return "".join(self._thought)

    @property
    def over(self) -> bool:
        """Whether the text has begun: from now on it is returned as it is."""
        return self._state == "text"

    def add(self, text: str) -> str:
        """The part of the text so far that is no thinking, and was not returned yet."""
        match self._state:
            case "text":
                return text
            case "thinking":
                return self._add_thinking(text)
            case "behind":
                return self._add_behind(text)
            case _:
                self._held.append(text)
                self._blank = self._blank and not text.strip()
                return "" if self._blank else self._begin()

    def begin_calls(self) -> str:
        """The text that was held back, when a call begins. White space alone does not count."""
        held = self._release() if self._state == "beginning" else ""
        return "" if self._blank else held

    def end(self, *, whole: bool) -> str:
        """The text that was held back, at the end of the answer.

        In a `whole` answer, a first tag without its last one was a word of the text.
        """
        if whole and self._state == "thinking":
            self._held, self._thought, self._state = self._thought, [], "beginning"
        return self._release() if self._state == "beginning" else ""

    def _begin(self) -> str:
        held = "".join(self._held)
        self._held = [held]
        begin = held.lstrip()
        if begin[0] not in _FIRST_CHARACTERS:
            return self._release()
        for tag, end_tag in _TAGS.items():
            if begin.startswith(tag):
                opened = len(held) - len(begin) + len(tag)
                self._state, self._held, self._end_tag = "thinking", [], end_tag
                self._thought.append(held[:opened])
                return self._add_thinking(held[opened:])
        for end_tag in _TAGS.values():
            if begin.startswith(end_tag):
                # The server has separated the thinking from the text, and left its last tag there.
                ended = len(held) - len(begin) + len(end_tag)
                self._state, self._held = "behind", []
                self._thought.append(held[:ended])
                return self._add_behind(held[ended:])
        return "" if any(tag.startswith(begin) for tag in _ALL_TAGS) else self._release()

    def _add_thinking(self, text: str) -> str:
        searched = self._tail + text
        place = searched.find(self._end_tag)
        if place < 0:
            self._tail = searched[-len(self._end_tag) + 1 :]
            self._thought.append(text)
            return ""
        end = place + len(self._end_tag) - len(self._tail)
        self._thought.append(text[:end])
        self._state = "behind"
        return self._add_behind(text[end:])

    def _add_behind(self, text: str) -> str:
        """The beginning of the text, without the empty lines that separate it from the thinking."""
        said = text.lstrip()
        self._thought.append(text[: len(text) - len(said)])
        if said:
            self._state = "text"
        return said

    def _release(self) -> str:
        text = "".join(self._held)
        self._held, self._state = [], "text"
        return text
