"""The calls for threads."""

from runstead.client._async.calls import AsyncCalls
from runstead.client._async.pages import AsyncPage
from runstead.wire.endpoints import threads as endpoint
from runstead.wire.page import ListQuery
from runstead.wire.struct import SortOrder
from runstead.wire.thread import Thread, ThreadDeleted, ThreadId, ThreadRequest, ThreadUpdate

__all__ = ["AsyncThreads"]


class AsyncThreads(AsyncCalls):
    """`runstead.interface.Threads`."""

    async def create_thread(self, request: ThreadRequest | None = None) -> Thread:
        return await self._transport.call(endpoint.CREATE_THREAD, {}, body=request)

    async def get_thread(self, thread_id: ThreadId) -> Thread:
        return await self._transport.call(endpoint.GET_THREAD, {"thread_id": thread_id})

    async def update_thread(self, thread_id: ThreadId, request: ThreadUpdate) -> Thread:
        return await self._transport.call(endpoint.UPDATE_THREAD, {"thread_id": thread_id}, body=request)

    async def delete_thread(self, thread_id: ThreadId) -> ThreadDeleted:
        return await self._transport.call(endpoint.DELETE_THREAD, {"thread_id": thread_id})

    async def threads(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: ThreadId | None = None,
        before: ThreadId | None = None,
    ) -> AsyncPage[Thread]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return await self._page(endpoint.THREADS, {}, query)
