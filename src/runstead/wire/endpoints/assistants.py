"""The calls about assistants."""

from runstead.wire.assistant import Assistant, AssistantDeleted, AssistantRequest, AssistantUpdate
from runstead.wire.endpoints.endpoint import Endpoint, Nothing
from runstead.wire.page import ListQuery, Page

__all__ = ["ASSISTANTS", "CREATE_ASSISTANT", "DELETE_ASSISTANT", "GET_ASSISTANT", "UPDATE_ASSISTANT"]

CREATE_ASSISTANT: Endpoint[Nothing, AssistantRequest, Assistant] = Endpoint(
    name="create_assistant",
    method="POST",
    path="/assistants",
    body=AssistantRequest,
    reply=Assistant,
)

ASSISTANTS: Endpoint[ListQuery, Nothing, Page[Assistant]] = Endpoint(
    name="assistants",
    method="GET",
    path="/assistants",
    query=ListQuery,
    reply=Page[Assistant],
)

GET_ASSISTANT: Endpoint[Nothing, Nothing, Assistant] = Endpoint(
    name="get_assistant",
    method="GET",
    path="/assistants/{assistant_id}",
    reply=Assistant,
)

UPDATE_ASSISTANT: Endpoint[Nothing, AssistantUpdate, Assistant] = Endpoint(
    name="update_assistant",
    method="POST",
    path="/assistants/{assistant_id}",
    body=AssistantUpdate,
    reply=Assistant,
)

DELETE_ASSISTANT: Endpoint[Nothing, Nothing, AssistantDeleted] = Endpoint(
    name="delete_assistant",
    method="DELETE",
    path="/assistants/{assistant_id}",
    reply=AssistantDeleted,
)
