"""The client: one object with all calls."""

from types import TracebackType
from typing import Self

from runstead.client._async.administration import AsyncAdministration
from runstead.client._async.assistants import AsyncAssistants
from runstead.client._async.driving import AsyncDriving
from runstead.client._async.embeddings import AsyncEmbeddings
from runstead.client._async.indexing import AsyncIndexing
from runstead.client._async.messages import AsyncMessages
from runstead.client._async.models import AsyncModels
from runstead.client._async.runs import AsyncRuns
from runstead.client._async.threads import AsyncThreads
from runstead.client._async.vector_stores import AsyncVectorStores
from runstead.client._async.webhooks import AsyncWebhooks

__all__ = ["AsyncClient"]


class AsyncClient(
    AsyncAssistants,
    AsyncThreads,
    AsyncMessages,
    AsyncRuns,
    AsyncIndexing,
    AsyncVectorStores,
    AsyncModels,
    AsyncEmbeddings,
    AsyncWebhooks,
    AsyncAdministration,
    AsyncDriving,
):
    """`runstead.interface.Interface` over a transport, with `wait`, `drive` and `take_up` on top.

    Use it with `async with`, or close it with `aclose`.
    """

    def __repr__(self) -> str:
        return f"AsyncClient({self._transport!r})"

    async def aclose(self) -> None:
        """Close the connections. Runs are not affected."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
