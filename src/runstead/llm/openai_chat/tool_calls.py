"""Function calls as servers stream them, made into well-numbered pieces.

A call should come with its index always, its id and name once, and its arguments in pieces. Servers also send whole
calls, leave out the index or the id, repeat the name, give every parallel call the index 0, or the same id twice.
"""

from typing import Any

import msgspec

from runstead.domain.model_call import ToolCallPiece
from runstead.llm.chat_messages import new_call_id
from runstead.llm.openai_chat.response import Call, CalledFunction

__all__ = ["CallPieces"]


class _Started:
    """A call that has begun; it is told of once its name is known."""

    def __init__(self, place: int, id: str | None) -> None:
        self.place = place
        self.id = id
        self.named = False
        self.held = ""


class CallPieces:
    """The calls of one answer."""

    def __init__(self) -> None:
        self._calls: list[_Started] = []
        self._by_index: dict[int, _Started] = {}
        self._ids: set[str] = set()

    @property
    def any(self) -> bool:
        """Whether there is a call so far."""
        return any(call.named for call in self._calls)

    def add(self, sent: Call) -> ToolCallPiece | None:
        """The piece that this is, if there is something to tell."""
        function = sent.function or CalledFunction()
        call = self._find(sent, function)
        arguments = _text(function.arguments)
        if call.named:
            return ToolCallPiece(call.place, arguments=arguments) if arguments else None
        if not function.name:
            call.held += arguments
            return None
        call.named = True
        return ToolCallPiece(call.place, self._unused(call.id), function.name, call.held + arguments)

    def _find(self, sent: Call, function: CalledFunction) -> _Started:
        if sent.index is not None:
            call = self._by_index.get(sent.index)
        elif sent.id:
            call = next((call for call in self._calls if call.id == sent.id), None)
        else:
            call = self._calls[-1] if self._calls else None
        if call is None or self._is_another(call, sent, function):
            call = _Started(len(self._calls), sent.id or None)
            self._calls.append(call)
        if sent.index is not None:
            self._by_index[sent.index] = call
        call.id = call.id or sent.id or None
        return call

    def _is_another(self, call: _Started, sent: Call, function: CalledFunction) -> bool:
        """A name makes a new call if the one before has its own, unless an index or an id says that it is the same."""
        if not (call.named and function.name):
            return False
        if sent.id and call.id:
            return sent.id != call.id
        return sent.index is None

    def _unused(self, id: str | None) -> str:
        if id is None or id in self._ids:
            id = new_call_id()
        self._ids.add(id)
        return id


def _text(arguments: str | dict[str, Any] | None) -> str:
    if isinstance(arguments, str):
        return arguments
    return msgspec.json.encode(arguments).decode() if arguments is not None else ""
