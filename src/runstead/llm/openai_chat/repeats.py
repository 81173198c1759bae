"""Recognises text that a server sends twice: in pieces, and whole at the end of its answer."""

__all__ = ["SaidText"]

_UTF8 = "utf-8", "surrogatepass"
_MIN_REPEATED = 16
"""Characters. Models do repeat short words."""


class SaidText:
    """The text of an answer so far, as it was sent."""

    def __init__(self) -> None:
        self._text = bytearray()  # as UTF-8: a list of its pieces would take ten times its size
        self._pieces = 0
        self._in_messages = ""
        """The text that messages have brought: of an unstreamed answer, or of a stream without deltas."""

    def add_piece(self, text: str) -> None:
        """A delta has brought more text."""
        self._text += text.encode(*_UTF8)
        self._pieces += 1

    def is_repeated(self, text: str) -> bool:
        """Whether the text of the last delta is the whole text, which was sent in several pieces before."""
        long = len(text) >= _MIN_REPEATED and self._pieces > 1
        return long and len(text) <= len(self._text) and text.encode(*_UTF8) == self._text

    def rest_of(self, text: str) -> str:
        """The part of a message's text that was not sent yet. A message that begins otherwise has more text."""
        if self._pieces:
            return ""
        rest = text.removeprefix(self._in_messages)
        self._in_messages = text if len(rest) < len(text) else self._in_messages + text
        return rest
