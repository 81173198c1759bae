# Generated from src/runstead/client/_async/client.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The client: one object with all calls."""

from types import TracebackType
from typing import Self

from runstead.client._sync.administration import Administration
from runstead.client._sync.assistants import Assistants
from runstead.client._sync.driving import Driving
from runstead.client._sync.embeddings import Embeddings
from runstead.client._sync.indexing import Indexing
from runstead.client._sync.messages import Messages
from runstead.client._sync.models import Models
from runstead.client._sync.runs import Runs
from runstead.client._sync.threads import Threads
from runstead.client._sync.vector_stores import VectorStores
from runstead.client._sync.webhooks import Webhooks

__all__ = ["Client"]


class Client(
    Assistants,
    Threads,
    Messages,
    Runs,
    Indexing,
    VectorStores,
    Models,
    Embeddings,
    Webhooks,
    Administration,
    Driving,
):
    """`runstead.interface.Interface` over a transport, with `wait`, `drive` and `take_up` on top.

    Use it with `with`, or close it with `aclose`.
    """

    def __repr__(self) -> str:
        return f"Client({self._transport!r})"

    def close(self) -> None:
        """Close the connections. Runs are not affected."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
