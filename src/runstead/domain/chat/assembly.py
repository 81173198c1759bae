"""A model's answer while it comes: pieces in, deltas out, and the whole at the end.

Deltas are made here as JSON, spliced around the one string that is new: this runs once a token.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from runstead.domain.model_call import ToolCallPiece
from runstead.domain.run.journal import FUNCTION, Call
from runstead.wire.content import CitedFile, Content, FileCitation, RefusalPart, Text, TextPart
from runstead.wire.delta import (
    FunctionDelta,
    FunctionToolCallDelta,
    RunStepDelta,
    RunStepDeltaBody,
    ToolCallDelta,
    ToolCallsDelta,
)
from runstead.wire.run_step import FunctionCallResult, FunctionToolCall, ToolCall

__all__ = ["CallsDraft", "MessageDraft", "as_delta", "delta_annotation", "function_call", "step_delta"]

_encode = msgspec.json.Encoder().encode
_UTF8 = "utf-8", "surrogatepass"


def function_call(call: Call) -> FunctionToolCall:
    """A call of a function, as the step shows it."""
    return FunctionToolCall(
        id=call.id, function=FunctionCallResult(name=call.name, arguments=call.arguments, output=call.output)
    )


def as_delta(call: ToolCall, place: int) -> ToolCallDelta:
    """The delta that brings a whole call."""
    return msgspec.convert({**msgspec.to_builtins(call), "index": place}, ToolCallDelta)  # type: ignore[no-any-return]


def step_delta(step_id: str, *calls: ToolCallDelta) -> bytes:
    """The delta of a step that brings more of these calls."""
    body = RunStepDeltaBody(step_details=ToolCallsDelta(tool_calls=list(calls)))
    return _encode(RunStepDelta(id=step_id, delta=body))


def delta_annotation(index: int, annotation: Mapping[str, Any]) -> dict[str, Any]:
    """An annotation of a message as a delta brings it: numbered, and a citation with an empty quote."""
    cited = annotation.get("file_citation")
    quoted = {} if cited is None else {"file_citation": {**cited, "quote": ""}}
    return {"index": index, **annotation, **quoted}


class MessageDraft:
    """A message that is being written.

    Its text is kept in one growing buffer, as UTF-8: a list of its tokens would take ten times its size.
    """

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        self._head = b'{"id":%b,"object":"thread.message.delta","delta":{"content":[{"index":' % _encode(message_id)
        self._parts: list[tuple[type[TextPart | RefusalPart], bytearray]] = []
        self._before = b""
        self._citations: dict[int, list[FileCitation]] = {}
        self._counted = 0, 0, 0

    def add_text(self, text: str) -> bytes:
        """The delta that brings more text."""
        if self._parts and self._parts[-1][0] is TextPart:
            self._parts[-1][1].extend(text.encode(*_UTF8))
            return b"%b%b}}]}}" % (self._before, _encode(text))
        index = len(self._parts)
        self._begin(TextPart, text)
        self._before = b'%b%d,"type":"text","text":{"value":' % (self._head, index)
        return b'%b%b,"annotations":[]}}]}}' % (self._before, _encode(text))

    def add_citation(self, marker: str, file_id: str) -> bytes:
        """The delta that brings the whole marker of a citation, with its annotation."""
        if not self._parts or self._parts[-1][0] is not TextPart:
            self.add_text("")
        place, start = len(self._parts) - 1, self._characters()
        cited = self._citations.setdefault(place, [])
        note = FileCitation(
            text=marker, start_index=start, end_index=start + len(marker), file_citation=CitedFile(file_id=file_id)
        )
        annotation = delta_annotation(len(cited), msgspec.to_builtins(note))
        cited.append(note)
        self._parts[-1][1].extend(marker.encode(*_UTF8))
        return b'%b%b,"annotations":[%b]}}]}}' % (self._before, _encode(marker), _encode(annotation))

    def _characters(self) -> int:
        """The characters of the last text so far. Those before the last citation are not counted again."""
        place, text = len(self._parts) - 1, self._parts[-1][1]
        known, size, count = self._counted
        if known != place:
            size = count = 0
        count += len(text[size:].decode(*_UTF8))
        self._counted = place, len(text), count
        return count

    def add_refusal(self, text: str) -> bytes:
        """The delta that brings more of a refusal."""
        if self._parts and self._parts[-1][0] is RefusalPart:
            self._parts[-1][1].extend(text.encode(*_UTF8))
        else:
            self._begin(RefusalPart, text)
        index = len(self._parts) - 1
        return b'%b%d,"type":"refusal","refusal":%b}]}}' % (self._head, index, _encode(text))

    def content(self) -> Content:
        """The content so far; one empty text before the first word."""
        if not self._parts:
            return [TextPart(text=Text(value=""))]
        parts: Content = [_part(kind, text.decode(*_UTF8)) for kind, text in self._parts]
        for place, cited in self._citations.items():
            parts[place] = TextPart(text=Text(value=self._parts[place][1].decode(*_UTF8), annotations=[*cited]))
        return parts

    def _begin(self, kind: type[TextPart | RefusalPart], text: str) -> None:
        self._parts.append((kind, bytearray(text.encode(*_UTF8))))


def _part(kind: type[TextPart | RefusalPart], text: str) -> TextPart | RefusalPart:
    return TextPart(text=Text(value=text)) if kind is TextPart else RefusalPart(refusal=text)


class CallsDraft:
    """The parallel tool calls of one turn that are being made.

    `tool_of` says which kind of tool serves a function, and `show` how the step shows a call. An id in `taken` names
    another call of the run.

    Deltas bring the arguments of functions as they come. Of a call that the server runs they bring its beginning: its
    tool reports the rest when it runs.
    """

    def __init__(
        self,
        step_id: str,
        *,
        tool_of: Callable[[str], str] = lambda _: FUNCTION,
        show: Callable[[Call], ToolCall] = function_call,
        taken: Collection[str] = (),
    ) -> None:
        self._step_id = step_id
        self._tool_of = tool_of
        self._show = show
        self._ids = set(taken)
        self._places: dict[int, int] = {}
        self._calls: list[tuple[Call, list[str]]] = []

    def add(self, piece: ToolCallPiece, new_id: str) -> Sequence[bytes]:
        """The deltas that bring a piece of a call. `new_id` names the call if the model did not, or not uniquely:
        outputs are given by id.
        """
        deltas: list[bytes] = []
        place = self._places.get(piece.index)
        if place is None:
            place = self._places[piece.index] = len(self._calls)
            id, name = piece.id if piece.id and piece.id not in self._ids else new_id, piece.name or ""
            self._ids.add(id)
            call = Call(id=id, name=name, arguments="", tool=self._tool_of(name))
            self._calls.append((call, []))
            deltas.append(step_delta(self._step_id, as_delta(self._show(call), place)))
        call, arguments = self._calls[place]
        if piece.arguments:
            arguments.append(piece.arguments)
            if call.for_client:
                more = FunctionDelta(arguments=piece.arguments)
                deltas.append(step_delta(self._step_id, FunctionToolCallDelta(index=place, function=more)))
        return deltas

    def calls(self) -> list[Call]:
        """The calls so far, in order."""
        return [
            Call(id=call.id, name=call.name, arguments="".join(arguments), tool=call.tool)
            for call, arguments in self._calls
        ]
