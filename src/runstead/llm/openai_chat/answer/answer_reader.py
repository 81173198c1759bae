"""Parses a chat completions answer from bytes into pieces. It does no IO.

```
bytes ─▶ events (event_stream) ─▶ documents ─┬─▶ choice (choice_reader) ─▶ text, thinking, calls, finish ─▶ pieces
         or one document, unstreamed         ├─▶ usage
                                             └─▶ errors (server_error)
```
The answer is a stream of events that ends with `[DONE]`, or one JSON document if the server does not stream. The first
byte shows which of the two it is.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from runstead.domain.model_call import Piece, UsagePiece
from runstead.llm.openai_chat.answer.answer_budget import FREE, AnswerBudget, AnswerShare
from runstead.llm.openai_chat.answer.choice_reader import MAX_LENGTH, ChoiceReader
from runstead.llm.openai_chat.answer.event_stream import DONE, Event, EventStream
from runstead.llm.openai_chat.answer.piece_batch import PieceBatch
from runstead.llm.openai_chat.answer.text_delta import plain_text
from runstead.llm.openai_chat.answer.usage import Tokens
from runstead.model_server.coercion import as_list, as_number, as_object
from runstead.model_server.failure import Failure
from runstead.model_server.json_document import MAX_BYTES, NotJSON, TooLarge, decode
from runstead.model_server.server_error import error_in, read_error

__all__ = ["AnswerReader"]

_MAX_ANSWER_BYTES = 128 * 2**20
"""About half a million streamed tokens, at some 250 bytes a token."""
_MAX_CHOICES = 100
"""Choices in one event that are looked at. A request asks for one."""
_PORTION = 2**15
"""Bytes that are parsed before other tasks get their turn."""
_END = Event("", None, DONE)
_ERRORS = frozenset({"error", "errors", "Error", "base_resp"})
"""Fields that an event with choices may have for an error."""
_WRAPPERS = frozenset({"response", "result", "data", "body"})
"""Fields in which gateways put the document of another server."""
_BOM = b"\xef\xbb\xbf"


class AnswerReader:
    """Reads one answer. Every method raises `Failure` if the bytes are no chat completion, or have an error.

    `origin` names the model and its server, in the state that goes back to it. `names` are those of the offered
    functions. An answer that `thinks` begins with thinking, up to `</think>`. What is kept of it is counted in `share`.
    """

    def __init__(
        self,
        origin: str = "",
        *,
        names: Collection[str] = (),
        thinks: bool = False,
        share: AnswerShare | None = None,
        max_length: int = MAX_LENGTH,
        max_answer_bytes: int = _MAX_ANSWER_BYTES,
    ) -> None:
        self._max_answer_bytes = max_answer_bytes
        self._received = 0
        self._beginning: bytes | None = b""
        """Bytes before the first one that shows whether the answer is streamed; None once it is known."""
        self._document: list[bytes] | None = None
        """The parts of an unstreamed answer."""
        self._share = share or AnswerShare(AnswerBudget())
        self._granted = FREE
        """The size up to which an unstreamed answer was counted."""
        self._stream = EventStream(share=self._share)
        self._pieces = PieceBatch()
        self._choice = ChoiceReader(
            self._pieces, origin=origin, max_length=max_length, share=self._share, names=names, thinks=thinks
        )
        self._has_choices = False
        self._tokens = Tokens()
        self.done = False
        """The answer is complete, and further bytes are ignored."""

    @property
    def finished(self) -> bool:
        """Whether the answer has its finish reason. Only its usage and its end may follow."""
        return self._choice.finished

    @property
    def begun(self) -> bool:
        """Whether there was a part of the answer: a choice, or the beginning of an unstreamed document."""
        return self._has_choices or self._document is not None

    def is_whole(self) -> bool:
        """Whether the answer may end here: it has its finish reason, or is a whole document."""
        if self._document is None:
            return self.finished
        try:
            decode(b"".join(self._document))
        except (NotJSON, TooLarge):
            return False
        return True

    def feed(self, data: bytes) -> Iterator[list[Piece]]:
        """The pieces in these bytes, in batches that take some milliseconds each. A batch may be empty.

        The iterator must be exhausted. An error is raised after the pieces before it.
        """
        self._received += len(data)
        if self._received > self._max_answer_bytes:
            raise Failure(f"sent more than {self._max_answer_bytes} bytes in one answer")
        if self._beginning is not None:
            data = self._begin(self._beginning + data)
        if self._document is None:
            return self._portions(data) if len(data) > _PORTION else self._batches(self._feed_stream(data))
        self._document.append(data)
        if self._received > MAX_BYTES:
            raise Failure(f"sent more than {MAX_BYTES} bytes in one JSON document")
        if self._received > self._granted:
            self._granted = self._share.extend(self._granted, self._received)
        return iter(())

    def feed_documents(self, documents: Iterable[dict[str, Any]]) -> Iterator[list[Piece]]:
        """The pieces in events that are decoded already."""
        return self._batches(Event("", document) for document in documents)

    def end(self) -> Iterator[list[Piece]]:
        """The last pieces, at the end of the body."""
        if self._document is not None:
            yield from self._batches(self._read_document(b"".join(self._document)))
        else:
            yield from self._batches(self._stream.end())
        if self.done:
            return
        if self._choice.finished or (self._document is not None and self._has_choices):
            yield from self._batches([_END])
        elif self._has_choices:
            raise Failure("broke off in the middle of its answer", retryable=True)
        elif self._document is not None or self._tokens.usage() is not None:
            raise Failure("sent an answer without choices")
        elif self._received:
            raise Failure("sent no chat completion; its url must be the base URL of the API, which usually ends in /v1")
        else:
            raise Failure("sent an empty answer", retryable=True)

    def _begin(self, data: bytes) -> bytes:
        """Look at the first byte of the answer, behind a byte-order mark and white space."""
        begun = data.removeprefix(_BOM).lstrip()
        if not begun or _BOM.startswith(data):
            self._beginning = data if begun else b""
            return b""
        self._beginning = None
        if begun[:1] in {b"{", b"["}:
            self._document = []
        return begun

    def _portions(self, data: bytes) -> Iterator[list[Piece]]:
        for start in range(0, len(data), _PORTION):
            if self.done:
                return
            yield from self._batches(self._feed_stream(data[start : start + _PORTION]))

    def _feed_stream(self, data: bytes) -> Iterator[Event]:
        # A stream that kept the method would be a cycle: each answer would wait for the garbage collector.
        return self._stream.feed(data, self._read_plain)

    def _batches(self, events: Iterable[Event]) -> Iterator[list[Piece]]:
        whole = self.finished
        try:
            for event in events:
                if self.done:
                    break
                self._read(event)
                whole = self.finished
        except (Failure, TooLarge) as error:
            if whole and not self.done:
                # Bytes behind a whole answer cannot break it.
                yield from self._batches([_END])
                return
            if pieces := self._pieces.take():
                yield pieces
            raise (error if isinstance(error, Failure) else Failure(str(error))) from None
        yield self._pieces.take()

    def _read_plain(self, data: bytes) -> bool:
        """Read an event that has text alone; whether it was one."""
        text = None if self.done else plain_text(data)
        if text is None or not self._choice.add_plain(text):
            return False
        self._has_choices = True
        return True

    def _read(self, event: Event) -> None:
        value = event.value
        if isinstance(value, dict) and event.name != "error":
            self._add(value)
        elif DONE in (event.text, value):
            self._close()
        elif isinstance(value, list) and event.name != "error":
            for document in value:
                self._add(as_object(document))
        elif event.text[:1] in {"{", "["}:
            raise Failure(f"sent an answer that is no chat completion: {event.reason}")
        elif event.text or isinstance(value, str | dict | list):
            raise Failure.in_answer(read_error(event.text or value))

    def _add(self, document: dict[str, Any]) -> None:
        # This runs once for every token.
        choices = document.get("choices")
        for choice in as_list(choices)[:_MAX_CHOICES]:
            if isinstance(choice, dict) and not ((index := choice.get("index")) and as_number(index)):
                self._has_choices = True
                self._choice.add(choice)
                if "usage" in choice:
                    self._tokens.add(choice["usage"])
        if usage := document.get("usage"):
            self._tokens.add(usage)
        elif "x_groq" in document:
            self._tokens.add(as_object(document["x_groq"]).get("usage"))
        if not choices and not _WRAPPERS.isdisjoint(document):
            for name in _WRAPPERS & document.keys():
                if as_object(inner := document[name]).get("choices"):
                    self._add(inner)
                    return
        if (not choices or not _ERRORS.isdisjoint(document)) and (error := error_in(document)) is not None:
            failure = Failure.in_answer(error)
            failure.body = json.dumps(document).encode()
            raise failure

    def _read_document(self, body: bytes) -> Iterator[Event]:
        """The events of an unstreamed answer: one document, or one on each line."""
        try:
            yield Event("", decode(body))
        except NotJSON as error:
            lines = EventStream()
            events = [*lines.feed(body), *lines.end()]
            yield from events or [Event("", None, body[:1].decode(), str(error))]

    def _close(self) -> None:
        self.done = True
        if not self._has_choices:
            raise Failure.unfinished("sent an answer without choices")
        self._choice.end()
        usage = self._tokens.usage()
        if usage is not None:
            self._pieces.add([UsagePiece(usage)])
