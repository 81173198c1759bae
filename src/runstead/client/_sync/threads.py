# Generated from src/runstead/client/_async/threads.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The calls for threads."""

from runstead.client._sync.calls import Calls
from runstead.client._sync.pages import Page
from runstead.wire.endpoints import threads as endpoint
from runstead.wire.page import ListQuery
from runstead.wire.struct import SortOrder
from runstead.wire.thread import Thread, ThreadDeleted, ThreadId, ThreadRequest, ThreadUpdate

__all__ = ["Threads"]


class Threads(Calls):
    """`runstead.interface.Threads`."""

    def create_thread(self, request: ThreadRequest | None = None) -> Thread:
        return self._transport.call(endpoint.CREATE_THREAD, {}, body=request)

    def get_thread(self, thread_id: ThreadId) -> Thread:
        return self._transport.call(endpoint.GET_THREAD, {"thread_id": thread_id})

    def update_thread(self, thread_id: ThreadId, request: ThreadUpdate) -> Thread:
        return self._transport.call(endpoint.UPDATE_THREAD, {"thread_id": thread_id}, body=request)

    def delete_thread(self, thread_id: ThreadId) -> ThreadDeleted:
        return self._transport.call(endpoint.DELETE_THREAD, {"thread_id": thread_id})

    def threads(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: ThreadId | None = None,
        before: ThreadId | None = None,
    ) -> Page[Thread]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return self._page(endpoint.THREADS, {}, query)
