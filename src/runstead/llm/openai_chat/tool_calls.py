"""Turns streamed function calls into pieces with consistent indexes and ids.

By the API a call is streamed as chunks that all have its index; the first has its id and name, and each may have a part
of its arguments. Real servers also send whole calls, omit the index or the id, repeat the name, the call or its
arguments, change the index within a call, give every parallel call the index 0, or use one id twice.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from runstead.domain.model_call import ToolCallPiece
from runstead.llm.chat_messages import new_call_id
from runstead.llm.openai_chat.characters import CharacterJoiner, repaired_json
from runstead.llm.openai_chat.failure import Failure
from runstead.llm.openai_chat.json_document import NotJSON, TooLarge, check_depth, decode_text
from runstead.llm.openai_chat.lenient import as_number, as_text, raw_text

__all__ = ["MAX_CALLS", "SentCall", "ToolCalls", "read_call"]

MAX_CALLS = 1_000
"""Calls in one answer, and chunks of calls in one event."""
_MAX_NAME = 256
"""Characters of a function's name; more than the API allows. The rest is cut off."""
_MAX_CHECKED = 2**12
"""Characters of arguments up to which a chunk without an index is worth a look at whether they are complete."""
_NULL = "null"


class SentCall(Struct, frozen=True, gc=False):
    """One chunk of a call, as the server sent it."""

    index: int | None
    id: str
    name: str
    arguments: str
    """It may have halves of characters."""


def read_call(call: Mapping[str, Any]) -> SentCall:
    """A chunk of a call. Some servers send its function without `function`, and arguments as an object."""
    function = call.get("function")
    fields = function if isinstance(function, dict) else call
    arguments = fields.get("arguments")
    if isinstance(arguments, dict | list):
        arguments = msgspec.json.encode(repaired_json(arguments)).decode()
    name = as_text(fields.get("name") or (function if isinstance(function, str) else "")).strip()
    return SentCall(as_number(call.get("index")), as_text(call.get("id")), name[:_MAX_NAME], raw_text(arguments))


class _Call:
    """A call that has begun. Its first piece is made when its name is known."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.name = ""
        self.place = -1
        """The call's index in the answer, once its name is known."""
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

    def name_it(self, name: str, place: int) -> str:
        """The name is known. Returns the arguments to pass on."""
        self.name, self.place = name, place
        return self._begin()

    def end(self) -> str:
        """The rest of the arguments, at the end of the answer. Without any they are an empty object."""
        rest = self._joiner.end()
        if rest:
            self._arguments.append(rest)
        if self._passed_on:
            return rest
        if self.arguments.strip() in {"", _NULL}:
            self._arguments = ["{}"]
        return self.arguments

    def repeats(self, arguments: str) -> bool:
        """Whether a chunk has all arguments of the call once more."""
        if not self._ends_like_a_document() or arguments.lstrip()[:1] not in {"{", "["}:
            return False
        if len(arguments) == self._length:
            return arguments == self.arguments
        small = max(len(arguments), self._length) <= _MAX_CHECKED
        return small and _same(arguments, self.arguments)

    def is_complete(self) -> bool:
        """Whether the arguments are a whole document. Of long ones only the last character is looked at."""
        return self._ends_like_a_document() and (self._length > _MAX_CHECKED or self.is_json())

    def is_json(self) -> bool:
        """Whether the arguments are JSON."""
        return _is_json(self.arguments)

    def _begin(self) -> str:
        """All arguments so far. White space and `null` are held back: they are no arguments."""
        if not self._arguments or not self._arguments[-1].strip() or _NULL.startswith(self.arguments.strip()):
            return ""
        self._passed_on = True
        return self.arguments

    def _ends_like_a_document(self) -> bool:
        return bool(self._arguments) and self._arguments[-1].rstrip()[-1:] in {"}", "]"}


class ToolCalls:
    """The tool calls of one answer."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._named: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._ids: set[str] = set()

    @property
    def any(self) -> bool:
        """Whether the answer has a call so far."""
        return bool(self._named)

    def add(self, sent: SentCall) -> tuple[ToolCallPiece | None, int]:
        """The piece for one chunk of a call, None if there is nothing to pass on yet; and the place of its call, -1
        while its name is not known. Raises `Failure` if the answer has too many calls.
        """
        call = self._find(sent)
        if call.place >= 0 and call.repeats(sent.arguments):
            return None, call.place
        more = call.add(sent.arguments)
        if call.place < 0 and sent.name:
            more = call.name_it(sent.name, len(self._named))
            self._named.append(call)
            return ToolCallPiece(call.place, self._unique_id(call.id), call.name, more), call.place
        return ToolCallPiece(call.place, arguments=more) if more else None, call.place

    def end(self) -> list[ToolCallPiece]:
        """The last pieces. Raises `Failure` if arguments are nested too deeply."""
        pieces = [ToolCallPiece(call.place, arguments=rest) for call in self._named if (rest := call.end())]
        for call in self._named:
            _check_depth(call.arguments)
        return pieces

    def are_complete(self) -> bool:
        """Whether the arguments of all calls are JSON, after their end."""
        return all(call.is_json() for call in self._named)

    def _find(self, sent: SentCall) -> _Call:
        call = self._known(sent)
        if call is None or self._is_another(call, sent):
            if len(self._calls) == MAX_CALLS:
                raise Failure(f"asked for more than {MAX_CALLS} calls in one answer")
            call = _Call(sent.id)
            self._calls.append(call)
        if sent.index is not None:
            self._by_index[sent.index] = call
        if sent.id:
            call.id = call.id or sent.id
            self._by_id[sent.id] = call
        return call

    def _known(self, sent: SentCall) -> _Call | None:
        """The call that the chunk belongs to, if its index, its id or its place says so."""
        at_index = None if sent.index is None else self._by_index.get(sent.index)
        of_id = self._by_id.get(sent.id) if sent.id else None
        if of_id is not None and (at_index is None or at_index.id != sent.id):
            return of_id
        if at_index is not None:
            return at_index
        last = self._calls[-1] if self._calls else None
        if last is None or (sent.index is None and not sent.id):
            return last
        # Nothing known: with a name, the chunk begins a call; without one, it continues a call that is not complete.
        continues = not sent.name and last.place >= 0 and not last.is_complete()
        return last if continues else None

    def _is_another(self, call: _Call, sent: SentCall) -> bool:
        """Whether the chunk begins a new call, although it has the index, the id or the place of this one."""
        if not (call.name and sent.name):
            return False
        other_id = bool(sent.id and call.id and sent.id != call.id)
        if other_id or sent.name != call.name or (sent.index is None and not sent.id):
            return True
        # The same function again. Its arguments cannot continue a whole document.
        begins = sent.arguments.lstrip()[:1] in {"{", "["}
        return begins and call.is_complete() and not call.repeats(sent.arguments)

    def _unique_id(self, id: str) -> str:
        if not id or id in self._ids:
            id = new_call_id()
        self._ids.add(id)
        return id


def _is_json(text: str) -> bool:
    try:
        decode_text(text)
    except (NotJSON, TooLarge):
        return False
    return True


def _same(one: str, other: str) -> bool:
    """Whether two texts are the same document."""
    return _is_json(one) and _is_json(other) and bool(decode_text(one) == decode_text(other))


def _check_depth(arguments: str) -> None:
    try:
        check_depth(arguments)
    except TooLarge as error:
        raise Failure(str(error)) from None
