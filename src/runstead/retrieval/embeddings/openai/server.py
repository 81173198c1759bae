"""The settings of an embedding server, as the table `[embeddings]` of the configuration file spells them."""

from typing import ClassVar

from runstead.model_server.connection import Connection
from runstead.model_server.preset import PRESETS

__all__ = ["EmbeddingServer"]

_WINDOWS = {"openai": 8191, "azure": 8191, "gemini": 2048, "mistral": 8192}
_SMALLEST_WINDOW = 512
"""Models of other servers have this many tokens at least, and some servers cut longer texts without a word."""


class EmbeddingServer(Connection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server with an embeddings API, and one of its models."""

    setting: ClassVar[str] = "Embeddings"

    model: str
    """The server's name of the model."""
    dimensions: int | None = None
    """The length of vectors to ask for. Absent, the model's own, which the server is asked for once."""
    batch: int = 128
    """Texts of one request at most."""
    window: int | None = None
    """Tokens of one text at most. A longer one is embedded in windows."""
    timeout: float = 60.0
    """Seconds for one request."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.model:
            raise self._error("`model` is empty.")
        if self.dimensions is not None and not 1 <= self.dimensions <= 16_384:
            raise self._error("`dimensions` must be from 1 to 16384.")
        if not 1 <= self.batch <= 2048:
            raise self._error("`batch` must be from 1 to 2048.")
        if self.window is not None and self.window < 16:
            raise self._error("`window` must be 16 tokens or more.")
        if min(self.connect_timeout, self.timeout) <= 0:
            raise self._error("a timeout must be more than 0 seconds.")

    @property
    def tokens(self) -> int:
        """Tokens of one text at most: `window`, or what the models of this kind of server have."""
        if self.window is not None:
            return self.window
        return next((size for name, size in _WINDOWS.items() if self.server is PRESETS[name]), _SMALLEST_WINDOW)
