"""Turns streamed function calls into pieces with consistent indexes and ids.

By the API a call is streamed as chunks that all have its index; the first has its id and name, and each may have a part
of its arguments. Real servers also send whole calls, omit the index or the id, repeat the name, the call or its
arguments, split the name, change the index within a call, give every parallel call the index 0, or use one id twice.
"""

from collections.abc import Collection

from runstead.domain.model_call import ToolCallPiece
from runstead.llm.chat_messages import new_call_id
from runstead.llm.openai_chat.answer.calls.call_chunk import CallChunk
from runstead.llm.openai_chat.answer.calls.partial_call import PartialCall
from runstead.model_server.failure import Failure

__all__ = ["MAX_CALLS", "ToolCalls"]

MAX_CALLS = 1_000
"""Calls in one answer, and chunks of calls in one event."""


class ToolCalls:
    """The tool calls of one answer. `names` are those of the functions that were offered."""

    def __init__(self, names: Collection[str] = ()) -> None:
        self._names = names
        self._calls: list[PartialCall] = []
        self._named: list[PartialCall] = []
        self._by_index: dict[int, PartialCall] = {}
        self._by_id: dict[str, PartialCall] = {}
        self._ids: set[str] = set()

    @property
    def any(self) -> bool:
        """Whether the answer has a call so far."""
        return bool(self._named)

    def add(self, sent: CallChunk) -> tuple[list[ToolCallPiece], int]:
        """The pieces for one chunk of a call, and the place of its call, -1 while its name is not known.

        The first piece of a call waits for its arguments, because its name may come in pieces. Raises `Failure` if the
        answer has too many calls.
        """
        call = self._find(sent)
        if call.place >= 0 and call.repeats(sent.arguments):
            return [], call.place
        if sent.name and call.place >= 0:
            call.name = self._continued_name(call, sent) or call.name
        more = call.add(sent.arguments)
        if call.place < 0 and sent.name:
            more = call.begin_name(sent.name, len(self._named))
            self._named.append(call)
        if not more:
            return [], call.place
        if call.announced:
            return [ToolCallPiece(call.place, arguments=more)], call.place
        return [*self.announce(call.place), self._announced(call, more)], call.place

    def announce(self, until: int | None = None) -> list[ToolCallPiece]:
        """The first pieces of the calls before this place that wait for their arguments; of all calls if None."""
        return [self._announced(each) for each in self._named[:until] if not each.announced]

    def end(self) -> list[ToolCallPiece]:
        """The last pieces. Raises `TooLarge` if arguments are nested too deeply."""
        pieces: list[ToolCallPiece] = []
        for call in self._named:
            rest = call.end()
            if not call.announced:
                pieces.append(self._announced(call, rest))
            elif rest:
                pieces.append(ToolCallPiece(call.place, arguments=rest))
        for call in self._named:
            call.check_depth()
        return pieces

    def are_complete(self) -> bool:
        """Whether the arguments of all calls are JSON, after their end."""
        return all(call.is_json() for call in self._named)

    def _find(self, sent: CallChunk) -> PartialCall:
        call = self._known(sent)
        if call is None or self._is_another(call, sent):
            if len(self._calls) == MAX_CALLS:
                raise Failure(f"asked for more than {MAX_CALLS} calls in one answer")
            call = PartialCall(sent.id)
            self._calls.append(call)
        if sent.index is not None:
            self._by_index[sent.index] = call
        if sent.id:
            call.id = call.id or sent.id
            self._by_id[sent.id] = call
        return call

    def _known(self, sent: CallChunk) -> PartialCall | None:
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

    def _is_another(self, call: PartialCall, sent: CallChunk) -> bool:
        """Whether the chunk begins a new call, although it has the index, the id or the place of this one."""
        if not (call.name and sent.name):
            return False
        other_id = bool(sent.id and call.id and sent.id != call.id)
        if not other_id and self._continued_name(call, sent):
            return False
        if other_id or sent.name != call.name or (sent.index is None and not sent.id):
            return True
        if sent.id and call.is_empty:
            return False
        # The same function again. Its arguments cannot continue a whole document.
        begins = sent.arguments.lstrip()[:1] in {"{", "["}
        return begins and call.is_complete() and not call.repeats(sent.arguments)

    def _continued_name(self, call: PartialCall, sent: CallChunk) -> str:
        """The name of the call with its next part, if that is the beginning of an offered name; else empty."""
        if not call.is_empty or sent.name == call.name:
            return ""
        name = sent.name if sent.name.startswith(call.name) else call.name + sent.name
        return name if any(offered.startswith(name) for offered in self._names) else ""

    def _announced(self, call: PartialCall, arguments: str = "") -> ToolCallPiece:
        """The first piece of a call."""
        call.announced = True
        return ToolCallPiece(call.place, self._unique_id(call.id), call.name, arguments)

    def _unique_id(self, id: str) -> str:
        if not id or id in self._ids:
            id = new_call_id()
        self._ids.add(id)
        return id
