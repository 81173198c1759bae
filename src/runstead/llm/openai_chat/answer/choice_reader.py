"""Reads the one choice of an answer into pieces: its text, its calls, its thinking, and its end."""

from collections.abc import Collection, Mapping
from typing import Any

from runstead.domain.model_call import CarriedPiece, Finish, FinishReason, ThinkingPiece
from runstead.llm.openai_chat.answer.answer_budget import FREE, AnswerShare
from runstead.llm.openai_chat.answer.calls.call_chunk import read_call_chunk
from runstead.llm.openai_chat.answer.calls.tool_calls import MAX_CALLS, ToolCalls
from runstead.llm.openai_chat.answer.content import read_content
from runstead.llm.openai_chat.answer.duplicate_text import AnswerText
from runstead.llm.openai_chat.answer.finish_reason import FinishReasons
from runstead.llm.openai_chat.answer.piece_batch import PieceBatch
from runstead.llm.openai_chat.answer.think_tags import ThinkTags
from runstead.llm.openai_chat.state.turn_state import TurnState
from runstead.model_server.coercion import as_object, as_objects
from runstead.model_server.failure import Failure
from runstead.model_server.json_document import NotJSON, decode_text
from runstead.model_server.server_error import read_error
from runstead.model_server.split_characters import CharacterJoiner

__all__ = ["MAX_LENGTH", "ChoiceReader"]

MAX_LENGTH = 2 * 2**20
"""Characters of one answer: its text, its thinking, the arguments of its calls, and its state. The largest models write
a quarter of it.
"""
_TEXT_ALONE = frozenset({"content", "role"})
"""The fields of nearly every delta."""


class ChoiceReader:
    """Appends what the choice has to `pieces`. Raises `Failure` if it is, or has, an error."""

    def __init__(
        self,
        pieces: PieceBatch,
        *,
        origin: str,
        max_length: int,
        share: AnswerShare,
        names: Collection[str] = (),
        thinks: bool = False,
    ) -> None:
        self._pieces = pieces
        self._share = share
        self._origin = origin
        self._max_length = max_length
        self._length = 0
        self._granted = min(FREE, max_length)
        """The length up to which no limit is checked."""
        self._said = AnswerText()
        self._refused = AnswerText()
        self._text = CharacterJoiner()
        self._refusal = CharacterJoiner()
        self._tags = ThinkTags(opened=thinks)
        self._calls = ToolCalls(names)
        self._state = TurnState()
        self._finish = FinishReasons()
        self._spoken = False
        """Whether there was text or a refusal."""
        self._by_delta = False
        """Whether deltas have brought anything, so that a message only repeats it."""
        self._in_text = False
        """Whether text passes unchanged: after thinking, between whole characters, before calls and finish reasons."""

    @property
    def finished(self) -> bool:
        """Whether the choice has ended: its finish reason was sent, and nothing has followed it."""
        return self._finish.certain

    def add(self, choice: Mapping[str, Any]) -> None:
        """Take over one event's part of the choice, or the whole choice."""
        before = self._length
        delta, message, text = choice.get("delta"), choice.get("message"), choice.get("text")
        reason = choice.get("finish_reason")
        if delta:
            self._add_delta(delta, last=bool(reason) or self.finished)
        if message:
            self._add_message(message)
        if text and not delta and not message:
            self._add_text(read_content(text).text)
        self._finish.add(reason, has_content=self._length > before)
        if choice.get("error"):
            raise Failure.in_answer(read_error(choice))
        special = self._text.begun or self._calls.any or self._finish.sent
        self._in_text = self._by_delta and self._tags.over and not special

    def add_plain(self, text: str) -> bool:
        """Append a delta that has only text. If the text needs the long way of `add`, return False and do nothing."""
        if not self._in_text:
            return False
        length = self._length + len(text)
        if length > self._granted:
            return False  # the long way checks the limits
        self._length = length
        self._said.add_piece(text)
        self._pieces.add_text(text)
        return True

    def end(self) -> None:
        """The answer is complete."""
        self._add_shown(self._tags.add(self._text.end()))
        self._add_shown(self._tags.end(whole=self._finish.whole))
        self._pieces.add_text(self._refusal.end(), "refusal")
        for piece in self._calls.end():
            self._pieces.add_call(piece)
        reason = self._reason()
        thought = self._tags.thought
        if thinking := self._state.thinking() + thought:
            self._pieces.add([ThinkingPiece(thinking)])
        # Without a call the run ends with this turn, and nothing goes back.
        state = self._state.value(self._origin, thought) if self._calls.any else None
        if state is not None:
            self._pieces.add([CarriedPiece(state)])
        self._pieces.add([Finish(reason)])

    def _add_delta(self, delta: Any, *, last: bool) -> None:
        fields = {"content": delta} if isinstance(delta, str) else as_object(delta)
        said = fields.get("content")
        content = said if isinstance(said, str) else ""
        if said and not content:
            content, thinking = read_content(said)
            self._grow(self._state.add_parts(thinking))
        if content and not (last and self._said.is_repeated(content)):
            self._said.add_piece(content)
            self._add_text(content)
        if not fields.keys() <= _TEXT_ALONE:
            self._add_rest(fields, last=last)
        self._by_delta = self._by_delta or self._length > 0

    def _add_message(self, message: Any) -> None:
        """A whole message. In a stream it repeats what the deltas have brought, if there were any."""
        fields = {"content": message} if isinstance(message, str) else as_object(message)
        content, thinking = read_content(fields.get("content"))
        self._add_text(self._said.rest_of(content))
        if not self._by_delta:
            self._grow(self._state.add_parts(thinking))
            self._add_rest(fields, last=False)
        elif not self._calls.any:
            self._add_calls(fields)

    def _add_text(self, text: str) -> None:
        if text:
            self._spoken = True
            self._grow(len(text))
            self._add_shown(self._tags.add(self._text.add(text)))

    def _add_shown(self, text: str) -> None:
        if text and self._calls.any:
            # Text that follows a call stays behind it.
            for piece in self._calls.announce():
                self._pieces.add_call(piece)
        self._pieces.add_text(text)

    def _add_rest(self, fields: Mapping[str, Any], *, last: bool) -> None:
        """Take over all but the content."""
        self._grow(self._state.add_message(fields))
        self._add_refusal(fields, last=last)
        self._add_calls(fields)

    def _add_refusal(self, fields: Mapping[str, Any], *, last: bool) -> None:
        if refusal := fields.get("refusal"):
            text = read_content(refusal).text
            if last and self._refused.is_repeated(text):
                return
            self._refused.add_piece(text)
            self._spoken = self._spoken or bool(text)
            self._grow(len(text))
            self._pieces.add_text(self._refusal.add(text), "refusal")

    def _add_calls(self, fields: Mapping[str, Any]) -> None:
        calls = as_objects(_decoded(fields.get("tool_calls")))
        if not calls and fields.get("function_call"):
            calls = [{"index": 0, "function": fields["function_call"]}]
        if len(calls) > MAX_CALLS:
            raise Failure(f"sent more than {MAX_CALLS} parts of calls at once")
        for call in calls:
            self._add_call(call)

    def _add_call(self, call: Mapping[str, Any]) -> None:
        sent = read_call_chunk(call)
        self._grow(len(sent.arguments) + len(sent.name))
        if not self._calls.any:
            self._add_shown(self._tags.begin_calls())
        pieces, place = self._calls.add(sent)
        for piece in pieces:
            self._pieces.add_call(piece)
        if place >= 0 and (size := self._state.add_call(place, call)):
            self._grow(size)

    def _reason(self) -> FinishReason:
        """The finish reason of the model port. Raises `Failure` if the answer cannot be whole."""
        meaning, named = self._finish.meaning, self._finish.named
        if meaning == "error":
            raise Failure.unfinished(f"ended its answer with {named}")
        if meaning in {"length", "content_filter"}:
            return meaning
        if self._calls.any:
            # By the API a forced call ends with `stop`, and some servers never send `tool_calls`.
            if meaning is None and not self._calls.are_complete():
                raise Failure.unfinished(f"ended its answer in the middle of a call, with {named}")
            return "tool_calls"
        # With `stop` the model has ended its answer itself: it may be empty, also after thinking.
        if meaning != "stop" and not self._spoken:
            raise Failure.unfinished(f"ended its answer without a word, with {named}")
        return "stop"

    def _grow(self, length: int) -> None:
        self._length += length
        if self._length > self._granted:
            if self._length > self._max_length:
                raise Failure(f"sent an answer of more than {self._max_length} characters")
            self._granted = min(self._share.extend(self._granted, self._length), self._max_length)


def _decoded(calls: Any) -> Any:
    """The calls. Some gateways send them as JSON in a text."""
    if not isinstance(calls, str):
        return calls
    try:
        return decode_text(calls)
    except NotJSON:
        return None
