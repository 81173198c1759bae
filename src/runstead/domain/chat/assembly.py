"""A model's answer while it comes: pieces in, deltas out, and the whole at the end.

Deltas are made here as JSON, spliced around the one string that is new: this runs once a token.
"""

from collections.abc import Sequence

import msgspec

from runstead.domain.model_call import ToolCallPiece
from runstead.wire.content import Content, RefusalPart, Text, TextPart
from runstead.wire.delta import (
    FunctionDelta,
    FunctionToolCallDelta,
    RunStepDelta,
    RunStepDeltaBody,
    ToolCallsDelta,
)
from runstead.wire.tool import FunctionCall, RequiredFunctionCall

__all__ = ["CallsDraft", "MessageDraft"]

_encode = msgspec.json.Encoder().encode


class MessageDraft:
    """A message that is being written."""

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        self._head = b'{"id":%b,"object":"thread.message.delta","delta":{"content":[{"index":' % _encode(message_id)
        self._parts: list[tuple[type[TextPart | RefusalPart], list[str]]] = []
        self._before = b""

    def add_text(self, text: str) -> bytes:
        """The delta that brings more text."""
        if self._parts and self._parts[-1][0] is TextPart:
            self._parts[-1][1].append(text)
            return b"%b%b}}]}}" % (self._before, _encode(text))
        index = len(self._parts)
        self._parts.append((TextPart, [text]))
        self._before = b'%b%d,"type":"text","text":{"value":' % (self._head, index)
        return b'%b%b,"annotations":[]}}]}}' % (self._before, _encode(text))

    def add_refusal(self, text: str) -> bytes:
        """The delta that brings more of a refusal."""
        if self._parts and self._parts[-1][0] is RefusalPart:
            self._parts[-1][1].append(text)
        else:
            self._parts.append((RefusalPart, [text]))
        index = len(self._parts) - 1
        return b'%b%d,"type":"refusal","refusal":%b}]}}' % (self._head, index, _encode(text))

    def content(self) -> Content:
        """What is written so far; without a word it is one empty text."""
        if not self._parts:
            return [TextPart(text=Text(value=""))]
        return [
            TextPart(text=Text(value="".join(pieces))) if kind is TextPart else RefusalPart(refusal="".join(pieces))
            for kind, pieces in self._parts
        ]


class CallsDraft:
    """The parallel function calls of one turn that are being made."""

    def __init__(self, step_id: str) -> None:
        self._step_id = step_id
        self._places: dict[int, int] = {}
        self._calls: list[tuple[str, str, list[str]]] = []

    def add(self, piece: ToolCallPiece, new_id: str) -> Sequence[bytes]:
        """The deltas that bring a piece of a call. `new_id` names the call if the model did not, or not uniquely:
        outputs are given by id.
        """
        deltas: list[bytes] = []
        place = self._places.get(piece.index)
        if place is None:
            place = self._places[piece.index] = len(self._calls)
            taken = {id for id, _, _ in self._calls}
            id, name = piece.id if piece.id and piece.id not in taken else new_id, piece.name or ""
            self._calls.append((id, name, []))
            first = FunctionDelta(name=name, arguments="", output=None)
            deltas.append(self._delta(FunctionToolCallDelta(index=place, id=id, function=first)))
        if piece.arguments:
            self._calls[place][2].append(piece.arguments)
            more = FunctionDelta(arguments=piece.arguments)
            deltas.append(self._delta(FunctionToolCallDelta(index=place, function=more)))
        return deltas

    def calls(self) -> list[RequiredFunctionCall]:
        """The calls so far, in order."""
        return [
            RequiredFunctionCall(id=id, function=FunctionCall(name=name, arguments="".join(arguments)))
            for id, name, arguments in self._calls
        ]

    def _delta(self, call: FunctionToolCallDelta) -> bytes:
        body = RunStepDeltaBody(step_details=ToolCallsDelta(tool_calls=[call]))
        return _encode(RunStepDelta(id=self._step_id, delta=body))
