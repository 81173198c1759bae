"""The calls about threads."""

from runstead.wire.endpoints.endpoint import Endpoint, Nothing
from runstead.wire.page import ListQuery, Page
from runstead.wire.thread import Thread, ThreadDeleted, ThreadRequest, ThreadUpdate

__all__ = ["CREATE_THREAD", "DELETE_THREAD", "GET_THREAD", "THREADS", "UPDATE_THREAD"]

CREATE_THREAD: Endpoint[Nothing, ThreadRequest, Thread] = Endpoint(
    name="create_thread",
    method="POST",
    path="/threads",
    body=ThreadRequest,
    reply=Thread,
)

THREADS: Endpoint[ListQuery, Nothing, Page[Thread]] = Endpoint(
    name="threads",
    method="GET",
    path="/threads",
    query=ListQuery,
    reply=Page[Thread],
    extension=True,
)

GET_THREAD: Endpoint[Nothing, Nothing, Thread] = Endpoint(
    name="get_thread",
    method="GET",
    path="/threads/{thread_id}",
    reply=Thread,
)

UPDATE_THREAD: Endpoint[Nothing, ThreadUpdate, Thread] = Endpoint(
    name="update_thread",
    method="POST",
    path="/threads/{thread_id}",
    body=ThreadUpdate,
    reply=Thread,
)

DELETE_THREAD: Endpoint[Nothing, Nothing, ThreadDeleted] = Endpoint(
    name="delete_thread",
    method="DELETE",
    path="/threads/{thread_id}",
    reply=ThreadDeleted,
)
