"""The calls about messages."""

from runstead.wire.endpoints.endpoint import Endpoint, Nothing
from runstead.wire.message import Message, MessageDeleted, MessageRequest, MessageUpdate
from runstead.wire.page import MessageQuery, Page

__all__ = ["CREATE_MESSAGE", "DELETE_MESSAGE", "GET_MESSAGE", "MESSAGES", "UPDATE_MESSAGE"]

CREATE_MESSAGE: Endpoint[Nothing, MessageRequest, Message] = Endpoint(
    name="create_message",
    method="POST",
    path="/threads/{thread_id}/messages",
    body=MessageRequest,
    reply=Message,
)

MESSAGES: Endpoint[MessageQuery, Nothing, Page[Message]] = Endpoint(
    name="messages",
    method="GET",
    path="/threads/{thread_id}/messages",
    query=MessageQuery,
    reply=Page[Message],
)

GET_MESSAGE: Endpoint[Nothing, Nothing, Message] = Endpoint(
    name="get_message",
    method="GET",
    path="/threads/{thread_id}/messages/{message_id}",
    reply=Message,
)

UPDATE_MESSAGE: Endpoint[Nothing, MessageUpdate, Message] = Endpoint(
    name="update_message",
    method="POST",
    path="/threads/{thread_id}/messages/{message_id}",
    body=MessageUpdate,
    reply=Message,
)

DELETE_MESSAGE: Endpoint[Nothing, Nothing, MessageDeleted] = Endpoint(
    name="delete_message",
    method="DELETE",
    path="/threads/{thread_id}/messages/{message_id}",
    reply=MessageDeleted,
)
