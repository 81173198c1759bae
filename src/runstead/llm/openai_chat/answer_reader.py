"""Parses a chat completions answer from bytes into pieces. It does no IO.

The answer is a stream of `data:` lines that ends with `[DONE]`, or one JSON object if the server does not stream. The
first byte shows which of the two it is. Comments, other SSE fields, and JSON fields without a piece are ignored.
"""

from collections.abc import Iterable

from runstead.domain.model_call import Finish, FinishReason, Piece, RefusalPiece, TextPiece, UsagePiece
from runstead.llm.openai_chat.failure import Failure
from runstead.llm.openai_chat.response import UNREADABLE, Call, Choice, Chunk, Delta, Tokens, decode_chunk, wire_usage
from runstead.llm.openai_chat.tool_calls import CallPieces

__all__ = ["AnswerReader"]

_MAX_LINE_BYTES = 8 * 2**20
"""One line may have all arguments of a call, and no model writes more than this."""
_MAX_ANSWER_BYTES = 128 * 2**20
"""About half a million streamed tokens, at some 250 bytes a token."""

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


class AnswerReader:
    """Reads one answer. Raises `Failure` if the bytes are not a chat completion."""

    def __init__(self, *, max_line_bytes: int = _MAX_LINE_BYTES, max_answer_bytes: int = _MAX_ANSWER_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._max_answer_bytes = max_answer_bytes
        self._received = 0
        self._unstreamed: bool | None = None
        self._parts: list[bytes] = []
        self._incomplete_line = b""
        self._has_choices = False
        self._calls = CallPieces()
        self._finish: FinishReason | None = None
        self._usage: Tokens | None = None
        self._failure: Failure | None = None
        self.done = False
        """The answer is complete, and further bytes are ignored."""

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces in these bytes, as one batch. Consecutive text pieces are joined."""
        self.check()
        self._received += len(data)
        if self._received > self._max_answer_bytes:
            raise Failure(f"sent more than {self._max_answer_bytes} bytes in one answer")
        if self._unstreamed is None:
            data = data.lstrip()
            if not data:
                return []
            self._unstreamed = data[:1] == b"{"
        if self._unstreamed:
            self._parts.append(data)
            return []
        lines = (self._incomplete_line + data).split(b"\n")
        self._incomplete_line = lines.pop()
        if len(self._incomplete_line) > self._max_line_bytes:
            raise Failure(f"sent a line of more than {self._max_line_bytes} bytes")
        return self._pieces(lines)

    def add_chunks(self, chunks: Iterable[Chunk]) -> list[Piece]:
        """The pieces in chunks that are decoded already, as one batch."""
        pieces: list[Piece] = []
        texts: list[str] = []
        for chunk in chunks:
            self._add(chunk, pieces, texts)
        _flush_text(texts, pieces)
        return pieces

    def check(self) -> None:
        """Raise `Failure` if an error followed the pieces of the last batch."""
        if self._failure is not None:
            raise self._failure

    def end(self) -> list[Piece]:
        """The last pieces, at the end of the body. Raises `Failure` if the answer is incomplete."""
        self.check()
        if self._unstreamed:
            return self._read_unstreamed(b"".join(self._parts))
        pieces = self._pieces([self._incomplete_line])
        if self.done or self._failure is not None:
            return pieces
        if self._finish is not None:
            return pieces + self._close()
        if self._has_choices:
            raise Failure("broke off in the middle of its answer", retryable=True)
        if self._received:
            raise Failure("sent no chat completion; its url must be the base URL of the API, which usually ends in /v1")
        raise Failure("sent an empty answer", retryable=True)

    def _read_unstreamed(self, body: bytes) -> list[Piece]:
        chunk = _decode(body)
        pieces = self.add_chunks([chunk])
        if not chunk.choices:
            raise Failure("sent an answer without choices")
        return pieces + self._close()

    def _pieces(self, lines: list[bytes]) -> list[Piece]:
        pieces: list[Piece] = []
        texts: list[str] = []
        try:
            self._read(lines, pieces, texts)
        except Failure as failure:
            if not pieces and not texts:
                raise
            self._failure = failure
        _flush_text(texts, pieces)
        return pieces

    def _read(self, lines: list[bytes], pieces: list[Piece], texts: list[str]) -> None:
        for line in lines:
            # This loop runs once for every token.
            if line[:5] == b"data:":
                if self.done:
                    break
                try:
                    chunk = decode_chunk(line[5:])
                except UNREADABLE:
                    self._add_other(line[5:], pieces, texts)
                else:
                    self._add(chunk, pieces, texts)
            elif line[:6] == b"error:":
                raise Failure.in_stream(line[6:].decode("utf-8", "replace").strip())

    def _add_other(self, data: bytes, pieces: list[Piece], texts: list[str]) -> None:
        """Handle data that is not a chunk: `[DONE]`, nothing, or an error."""
        data = data.strip()
        if data == b"[DONE]":
            _flush_text(texts, pieces)
            pieces += self._close()
        elif data:
            _decode(data)

    def _add(self, chunk: Chunk, pieces: list[Piece], texts: list[str]) -> None:
        if chunk.choices:
            self._has_choices = True
            for choice in chunk.choices:
                if not choice.index:
                    self._add_choice(choice, pieces, texts)
        if chunk.usage is not None:
            # Some servers send a running total with every chunk, so the last one counts.
            self._usage = chunk.usage
        if chunk.error:
            raise Failure.in_stream(chunk.error)

    def _add_choice(self, choice: Choice, pieces: list[Piece], texts: list[str]) -> None:
        delta = choice.delta or choice.message
        if delta is not None:
            if delta.content:
                texts.append(delta.content)
            if delta.tool_calls or delta.refusal or delta.function_call:
                _flush_text(texts, pieces)
                self._add_calls(delta, pieces)
        if choice.finish_reason and self._finish is None:
            _flush_text(texts, pieces)
            self._finish = self._reason(choice.finish_reason)
            pieces.append(Finish(self._finish))

    def _add_calls(self, delta: Delta, pieces: list[Piece]) -> None:
        if delta.refusal:
            pieces.append(RefusalPiece(delta.refusal))
        calls = delta.tool_calls or []
        if delta.function_call:
            calls = [*calls, Call(function=delta.function_call)]
        pieces += filter(None, map(self._calls.add, calls))

    def _reason(self, sent: str) -> FinishReason:
        reason = _FINISH.get(sent, "stop")
        # By the API a forced call ends with `stop`. Some servers never send `tool_calls`, or send it without a call.
        if self._calls.any:
            return "tool_calls" if reason == "stop" else reason
        return "stop" if reason == "tool_calls" else reason

    def _close(self) -> list[Piece]:
        self.done = True
        pieces: list[Piece] = []
        if self._finish is None:
            self._finish = self._reason("stop")
            pieces.append(Finish(self._finish))
        if self._usage is not None:
            pieces.append(UsagePiece(wire_usage(self._usage)))
        return pieces


def _flush_text(texts: list[str], pieces: list[Piece]) -> None:
    """Append the collected text as one piece, so that it keeps its place before the next piece."""
    if texts:
        pieces.append(TextPiece("".join(texts)))
        texts.clear()


def _decode(data: bytes) -> Chunk:
    try:
        return decode_chunk(data)
    except UNREADABLE as error:
        raise Failure(f"sent an answer that is no chat completion: {error}") from error
