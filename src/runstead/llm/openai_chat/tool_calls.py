"""Turns streamed function calls into pieces with consistent indexes and ids.

By the API a call is streamed as chunks that all have its index; the first has its id and name, and each may have a part
of its arguments. Real servers also send whole calls, omit the index or the id, repeat the name, the call or its
arguments, change the index within a call, give every parallel call the index 0, or use one id twice.
"""

from runstead.domain.model_call import ToolCallPiece
from runstead.llm.chat_messages import new_call_id
from runstead.llm.openai_chat.failure import Failure
from runstead.llm.openai_chat.sent_call import SentCall
from runstead.llm.openai_chat.started_call import StartedCall

__all__ = ["MAX_CALLS", "ToolCalls"]

MAX_CALLS = 1_000
"""Calls in one answer, and chunks of calls in one event."""


class ToolCalls:
    """The tool calls of one answer."""

    def __init__(self) -> None:
        self._calls: list[StartedCall] = []
        self._named: list[StartedCall] = []
        self._by_index: dict[int, StartedCall] = {}
        self._by_id: dict[str, StartedCall] = {}
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
        """The last pieces. Raises `TooLarge` if arguments are nested too deeply."""
        pieces = [ToolCallPiece(call.place, arguments=rest) for call in self._named if (rest := call.end())]
        for call in self._named:
            call.check_depth()
        return pieces

    def are_complete(self) -> bool:
        """Whether the arguments of all calls are JSON, after their end."""
        return all(call.is_json() for call in self._named)

    def _find(self, sent: SentCall) -> StartedCall:
        call = self._known(sent)
        if call is None or self._is_another(call, sent):
            if len(self._calls) == MAX_CALLS:
                raise Failure(f"asked for more than {MAX_CALLS} calls in one answer")
            call = StartedCall(sent.id)
            self._calls.append(call)
        if sent.index is not None:
            self._by_index[sent.index] = call
        if sent.id:
            call.id = call.id or sent.id
            self._by_id[sent.id] = call
        return call

    def _known(self, sent: SentCall) -> StartedCall | None:
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

    def _is_another(self, call: StartedCall, sent: SentCall) -> bool:
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
