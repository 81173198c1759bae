"""A chat completions answer, bytes in and pieces out. No IO.

A server answers with a stream of `data:` lines that ends with `[DONE]`, or, if it does not stream, with one JSON
object: the first byte tells which. Comments, other fields and what the pieces have no place for are passed over.
"""

from collections.abc import Iterable

from runstead.domain.model_call import Finish, FinishReason, Piece, RefusalPiece, TextPiece, UsagePiece
from runstead.llm.openai_chat.failure import Failure
from runstead.llm.openai_chat.response import UNREADABLE, Call, Choice, Chunk, Delta, Tokens, decode_chunk, wire_usage
from runstead.llm.openai_chat.tool_calls import CallPieces

__all__ = ["AnswerReader"]

_LONGEST_LINE = 8 * 2**20
"""A whole call's arguments may come in one line, and no model writes more than this."""
_LONGEST_ANSWER = 128 * 2**20
"""As sent: about half a million tokens at some 250 bytes a token."""

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


class AnswerReader:
    """Reads one answer. Raises `Failure` if it is none."""

    def __init__(self, *, longest_line: int = _LONGEST_LINE, longest_answer: int = _LONGEST_ANSWER) -> None:
        self._longest_line = longest_line
        self._longest_answer = longest_answer
        self._received = 0
        self._plain: bool | None = None
        self._parts: list[bytes] = []
        self._rest = b""
        self._begun = False
        self._calls = CallPieces()
        self._finish: FinishReason | None = None
        self._usage: Tokens | None = None
        self._failure: Failure | None = None
        self.done = False
        """The answer is whole; nothing more is read."""

    def feed(self, data: bytes) -> list[Piece]:
        """What came, as one batch; text pieces that follow each other are joined."""
        self.check()
        self._received += len(data)
        if self._received > self._longest_answer:
            raise Failure(f"sent more than {self._longest_answer} bytes in one answer")
        if self._plain is None:
            data = data.lstrip()
            if not data:
                return []
            self._plain = data[:1] == b"{"
        if self._plain:
            self._parts.append(data)
            return []
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > self._longest_line:
            raise Failure(f"sent a line of more than {self._longest_line} bytes")
        return self._pieces(lines)

    def take(self, chunks: Iterable[Chunk]) -> list[Piece]:
        """The same for events that were decoded elsewhere."""
        pieces: list[Piece] = []
        texts: list[str] = []
        for chunk in chunks:
            self._add(chunk, pieces, texts)
        _join(texts, pieces)
        return pieces

    def check(self) -> None:
        """Fails if an error came after the pieces of the last batch."""
        if self._failure is not None:
            raise self._failure

    def end(self) -> list[Piece]:
        """Nothing more comes: the last pieces. Fails if the answer is not whole."""
        self.check()
        if self._plain:
            return self._whole(b"".join(self._parts))
        pieces = self._pieces([self._rest])
        if self.done or self._failure is not None:
            return pieces
        if self._finish is not None:
            return pieces + self._close()
        if self._begun:
            raise Failure("broke off in the middle of its answer", passing=True)
        if self._received:
            raise Failure("sent no chat completion; its url should end where the API begins, mostly in /v1")
        raise Failure("sent an empty answer", passing=True)

    def _whole(self, body: bytes) -> list[Piece]:
        chunk = _decode(body)
        pieces = self.take([chunk])
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
        _join(texts, pieces)
        return pieces

    def _read(self, lines: list[bytes], pieces: list[Piece], texts: list[str]) -> None:
        for line in lines:
            # This loop runs once a token.
            if line[:5] == b"data:":
                if self.done:
                    break
                try:
                    chunk = decode_chunk(line[5:])
                except UNREADABLE:
                    self._other(line[5:], pieces, texts)
                else:
                    self._add(chunk, pieces, texts)
            elif line[:6] == b"error:":
                raise Failure.in_stream(line[6:].decode("utf-8", "replace").strip())

    def _other(self, data: bytes, pieces: list[Piece], texts: list[str]) -> None:
        """Data that is no chunk."""
        data = data.strip()
        if data == b"[DONE]":
            _join(texts, pieces)
            pieces += self._close()
        elif data:
            _decode(data)

    def _add(self, chunk: Chunk, pieces: list[Piece], texts: list[str]) -> None:
        if chunk.choices:
            self._begun = True
            for choice in chunk.choices:
                if not choice.index:
                    self._add_choice(choice, pieces, texts)
        if chunk.usage is not None:
            # Some servers send a running count with every chunk; the last one is the whole.
            self._usage = chunk.usage
        if chunk.error:
            raise Failure.in_stream(chunk.error)

    def _add_choice(self, choice: Choice, pieces: list[Piece], texts: list[str]) -> None:
        delta = choice.delta or choice.message
        if delta is not None:
            if delta.content:
                texts.append(delta.content)
            if delta.tool_calls or delta.refusal or delta.function_call:
                _join(texts, pieces)
                self._add_rare(delta, pieces)
        if choice.finish_reason and self._finish is None:
            _join(texts, pieces)
            self._finish = self._reason(choice.finish_reason)
            pieces.append(Finish(self._finish))

    def _add_rare(self, delta: Delta, pieces: list[Piece]) -> None:
        if delta.refusal:
            pieces.append(RefusalPiece(delta.refusal))
        calls = delta.tool_calls or []
        if delta.function_call:
            calls = [*calls, Call(function=delta.function_call)]
        pieces += filter(None, map(self._calls.add, calls))

    def _reason(self, sent: str) -> FinishReason:
        reason = _FINISH.get(sent, "stop")
        # A forced call ends with `stop` by the book; and some servers never say `tool_calls`, or say it without a call.
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


def _join(texts: list[str], pieces: list[Piece]) -> None:
    """Text that came before something else goes before it."""
    if texts:
        pieces.append(TextPiece("".join(texts)))
        texts.clear()


def _decode(data: bytes) -> Chunk:
    try:
        return decode_chunk(data)
    except UNREADABLE as error:
        raise Failure(f"sent something that is no chat completion: {error}") from error
