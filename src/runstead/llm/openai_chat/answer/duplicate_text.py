"""Recognises text that a server sends twice: in several deltas, and then as a whole."""

from runstead.llm.openai_chat.state.merged_state import MIN_REPEATED

__all__ = ["AnswerText"]

_UTF8 = "utf-8", "surrogatepass"
_MIN_PIECES = 2
_MAX_BLANK = 16
"""Bytes of white space around a text."""


class AnswerText:
    """The text of an answer so far, as it was sent."""

    def __init__(self) -> None:
        self._text = bytearray()  # as UTF-8: a list of its pieces would take ten times its size
        self._length = 0
        self._pieces = 0
        self._in_messages = ""
        """The text that messages have brought: of an unstreamed answer, or of a stream without deltas."""

    def add_piece(self, text: str) -> None:
        """A delta has brought more text."""
        self._text += text.encode(*_UTF8)
        self._length += len(text)
        self._pieces += 1

    def is_repeated(self, text: str) -> bool:
        """Whether the text of the last delta is the whole text, which was sent in several pieces before.

        White space around it does not matter.
        """
        if len(text) < MIN_REPEATED or self._pieces < _MIN_PIECES or abs(len(text) - self._length) > _MAX_BLANK:
            return False
        return text.strip() == self._text.decode(*_UTF8).strip()

    def rest_of(self, text: str) -> str:
        """The part of a message's text that was not sent yet. A message that begins otherwise has more text."""
        if self._pieces:
            return ""
        rest = text.removeprefix(self._in_messages)
        self._in_messages = text if len(rest) < len(text) else self._in_messages + text
        return rest
