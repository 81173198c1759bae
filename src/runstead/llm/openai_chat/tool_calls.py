"""Turns streamed function calls into pieces with consistent indexes and ids.

By the API a call is streamed as chunks that all have its index; the first has its id and name, and each may have a part
of its arguments. Real servers also send whole calls, omit the index or the id, repeat the name, give every parallel
call the index 0, or use one id twice.
"""

from typing import Any

import msgspec

from runstead.domain.model_call import ToolCallPiece
from runstead.llm.chat_messages import new_call_id
from runstead.llm.openai_chat.response import Call, CalledFunction

__all__ = ["CallPieces"]


class _Started:
    """A call that has begun. Its first piece is made when its name is known."""

    def __init__(self, index: int, id: str | None) -> None:
        self.index = index
        self.id = id
        self.named = False
        self.pending_arguments = ""


class CallPieces:
    """The tool calls of one answer."""

    def __init__(self) -> None:
        self._calls: list[_Started] = []
        self._by_index: dict[int, _Started] = {}
        self._ids: set[str] = set()

    @property
    def any(self) -> bool:
        """Whether the answer has a call so far."""
        return any(call.named for call in self._calls)

    def add(self, sent: Call) -> ToolCallPiece | None:
        """The piece for one chunk of a call; None if the chunk has nothing to pass on yet."""
        function = sent.function or CalledFunction()
        call = self._find(sent, function)
        arguments = _text(function.arguments)
        if call.named:
            return ToolCallPiece(call.index, arguments=arguments) if arguments else None
        if not function.name:
            call.pending_arguments += arguments
            return None
        call.named = True
        return ToolCallPiece(call.index, self._unique_id(call.id), function.name, call.pending_arguments + arguments)

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
        """Whether the chunk begins a new call: both have a name, and no common id or index says that they are one."""
        if not (call.named and function.name):
            return False
        if sent.id and call.id:
            return sent.id != call.id
        return sent.index is None

    def _unique_id(self, id: str | None) -> str:
        if id is None or id in self._ids:
            id = new_call_id()
        self._ids.add(id)
        return id


def _text(arguments: str | dict[str, Any] | None) -> str:
    if isinstance(arguments, str):
        return arguments
    return msgspec.json.encode(arguments).decode() if arguments is not None else ""
