"""The embedding port: texts in, one vector for each out.

Importing this module does not import numpy: a server without the extra `files` has none.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["EmbeddingError", "Embeddings", "Purpose", "Vectors"]

Purpose: TypeAlias = Literal["document", "query"]
"""Texts of `document` may wait behind others. A `query` is short, and someone waits for it: it never does."""

Vectors: TypeAlias = "NDArray[np.float32]"


class EmbeddingError(Exception):
    """Texts could not be embedded. `message` is the reason, for the log and for a file's `last_error`."""

    def __init__(
        self,
        message: str,
        *,
        rate_limited: bool = False,
        retry_after: float | None = None,
        permanent: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.rate_limited = rate_limited
        """A temporary rate limit: the work is to be delayed, not failed."""
        self.retry_after = retry_after
        """Seconds to wait before the next call, if the server asked for a delay."""
        self.permanent = permanent
        """The same texts with the same settings fail again."""


class Embeddings(Protocol):
    """One embedding model. Vectors of two models, or of two dimensions, must never be compared."""

    @property
    def model(self) -> str:
        """The model's name, which a vector store remembers."""
        ...

    async def dimension(self) -> int:
        """The length of its vectors. A model server is asked for it once. Raises `EmbeddingError`."""
        ...

    async def embed(self, texts: Sequence[str], *, purpose: Purpose) -> Vectors:
        """The vectors of the texts, in their order: float32, shape `[len(texts), dimension]`, each of length 1.

        No text is cut: one that is longer than the model's window is embedded in windows, and its vector is the mean
        of theirs, weighted by their lengths. A text without any word has a vector too. Texts are sent in batches of
        bounded size, however many there are; a caller embeds a document of many megabytes in several calls, because the
        work on the event loop is 20 ms a megabyte. Raises `EmbeddingError`, and then none of the texts has a vector.
        """
        ...

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
