"""Collects the pieces of one batch. Adjacent pieces of one kind are joined, so that a batch has few pieces."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from runstead.domain.model_call import Piece, RefusalPiece, TextPiece, ToolCallPiece

__all__ = ["PieceBatch"]

_Kind: TypeAlias = Literal["text", "refusal"]


class PieceBatch:
    """The pieces of a batch so far, in order."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._kind: _Kind | int | None = None
        """The kind that is being joined: text, a refusal, or the arguments of the call at this index."""
        self._call: ToolCallPiece | None = None
        self._texts: list[str] = []

    def add_text(self, text: str, kind: _Kind = "text") -> None:
        """Append text of the answer, or of a refusal."""
        if not text:
            return
        if self._kind != kind:
            self._flush()
            self._kind = kind
        self._texts.append(text)

    def add_call(self, piece: ToolCallPiece) -> None:
        """Append more of a call."""
        if self._kind != piece.index or piece.name is not None:
            self._flush()
            self._kind, self._call = piece.index, piece
        self._texts.append(piece.arguments)

    def add(self, pieces: Iterable[Piece]) -> None:
        """Append pieces of any other kind."""
        self._flush()
        self._pieces += pieces

    def take(self) -> list[Piece]:
        """Return all pieces and start a new batch."""
        self._flush()
        pieces, self._pieces = self._pieces, []
        return pieces

    def _flush(self) -> None:
        if self._kind is None:
            return
        joined = "".join(self._texts)
        if self._call is not None:
            call = self._call
            self._pieces.append(ToolCallPiece(call.index, call.id, call.name, joined))
        else:
            self._pieces.append(TextPiece(joined) if self._kind == "text" else RefusalPiece(joined))
        self._kind, self._call = None, None
        self._texts.clear()
