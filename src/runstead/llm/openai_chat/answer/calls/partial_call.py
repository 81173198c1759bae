"""One call of an answer, while its arguments arrive."""

import re

from runstead.model_server.json_document import NotJSON, TooLarge, check_depth, decode_text
from runstead.model_server.split_characters import CharacterJoiner

__all__ = ["PartialCall"]

_MAX_CHECKED = 2**12
"""Characters of arguments up to which it is worth a look whether they are complete, or repeated in another format."""
_NOTHING = ("{}", "[]", "null", "None", "undefined", '""')
"""Arguments that are none."""
_LEADING = re.compile(r'(?:\s*(?:\{\s*\}|\[\s*\]|null|None|undefined|""))*\s*')
_QUOTE = '"'


class PartialCall:
    """A call that has begun. Its first piece is made when its name is known, and its arguments begin."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.name = ""
        self.place = -1
        """The call's index in the answer, once its name has begun."""
        self.announced = False
        """Whether its name was passed on."""
        self._arguments: list[str] = []
        self._length = 0
        self._passed_on = False
        self._joiner = CharacterJoiner()

    @property
    def arguments(self) -> str:
        """The arguments so far."""
        return "".join(self._arguments)

    def add(self, arguments: str) -> str:
        """Take over more of the arguments. Returns those to pass on: none while the call has no name."""
        text = self._joiner.add(arguments)
        if text:
            self._arguments.append(text)
            self._length += len(text)
        if self._passed_on:
            return text
        return self._begin() if self.place >= 0 else ""

    def begin_name(self, name: str, place: int) -> str:
        """The name, or its beginning. Returns the arguments to pass on."""
        self.name, self.place = name, place
        return self._begin()

    def end(self) -> str:
        """The rest of the arguments, at the end of the answer. Without any they are an empty object."""
        rest = self._joiner.end()
        if rest:
            self._arguments.append(rest)
        if self._passed_on:
            return rest
        self._arguments = [_unquoted(self.arguments)]
        return self.arguments

    @property
    def is_empty(self) -> bool:
        """Whether there are no arguments so far, or only the sign that there are none."""
        return not self._passed_on and not _rest(self.arguments)

    def repeats(self, arguments: str) -> bool:
        """Whether a chunk has all arguments of the call once more, or the sign that there are none."""
        if not self._ends_like_a_document():
            return False
        small = max(len(arguments), self._length) <= _MAX_CHECKED
        if small and arguments.strip() in _NOTHING:
            return self.is_json()
        if arguments.lstrip()[:1] not in {"{", "["}:
            return False
        if len(arguments) == self._length:
            return arguments == self.arguments
        return small and _same(arguments, self.arguments)

    def is_complete(self) -> bool:
        """Whether the arguments are a whole document. Of long ones only the last character is looked at."""
        return self._ends_like_a_document() and (self._length > _MAX_CHECKED or self.is_json())

    def is_json(self) -> bool:
        """Whether the arguments are JSON."""
        return _is_json(self.arguments)

    def check_depth(self) -> None:
        """Raise `TooLarge` if the arguments are nested too deeply."""
        check_depth(self.arguments)

    def _begin(self) -> str:
        """All arguments so far. Those are held back that may be none, or a document inside a text."""
        if not self._arguments or not self._arguments[-1].strip():
            return ""
        text = self.arguments
        if text.lstrip()[:1] == _QUOTE:
            return ""
        if self._length <= _MAX_CHECKED:
            rest = _rest(text)
            if any(nothing.startswith(rest) for nothing in _NOTHING):
                return ""
            if rest[0] == "{" and text[: len(text) - len(rest)].strip():
                # An empty object before the arguments is how some servers begin a call.
                self._arguments = [rest]
        self._passed_on = True
        return self.arguments

    def _ends_like_a_document(self) -> bool:
        return bool(self._arguments) and self._arguments[-1].rstrip()[-1:] in {"}", "]"}


def _rest(text: str) -> str:
    """The text behind every sign that there are no arguments."""
    leading = _LEADING.match(text)
    return text[leading.end() :] if leading else text


def _unquoted(text: str) -> str:
    """Whole arguments. Some servers encode them twice, or say in another way that there are none."""
    if not _rest(text):
        return "{}"
    if text.lstrip()[:1] != _QUOTE or not _is_json(text):
        return text
    inner = str(decode_text(text))
    if not _rest(inner):
        return "{}"
    return inner if inner.lstrip()[:1] == "{" and _is_json(inner) else text


def _is_json(text: str) -> bool:
    try:
        decode_text(text)
    except (NotJSON, TooLarge):
        return False
    return True


def _same(one: str, other: str) -> bool:
    """Whether two texts are the same document."""
    return _is_json(one) and _is_json(other) and bool(decode_text(one) == decode_text(other))
