"""The pieces of an answer with its citations recognised: for runs whose model was given passages to cite."""

from collections.abc import AsyncIterator, Mapping, Sequence

from runstead.domain.chat.citation_scanner import CitationScanner
from runstead.domain.chat.citations import Passage, Source
from runstead.domain.model_call import Finish, Piece, RefusalPiece, TextPiece, ToolCallPiece

__all__ = ["CitedBatches"]


class CitedBatches(AsyncIterator[Sequence[Piece]]):
    """Batches of pieces, in which a marker of a passage is a `CitationPiece`.

    Text that may become a marker is held back until it is decided, or until something else than text follows it.
    """

    def __init__(self, batches: AsyncIterator[Sequence[Piece]], sources: Mapping[Passage, Source]) -> None:
        self._batches = batches
        self._scanner = CitationScanner(sources)

    async def __anext__(self) -> Sequence[Piece]:
        try:
            pieces = await anext(self._batches)
        except StopAsyncIteration:
            rest = self._scanner.end()
            if rest:
                return rest
            raise
        found: list[Piece] = []
        for piece in pieces:
            if isinstance(piece, TextPiece):
                found += self._scanner.add(piece.text)
            else:
                if isinstance(piece, RefusalPiece | ToolCallPiece | Finish):
                    found += self._scanner.end()
                found.append(piece)
        return found
