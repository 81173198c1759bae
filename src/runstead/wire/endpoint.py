"""The table of endpoints: the one place that knows paths. Server, client and OpenAPI document are made from it.

`name` is the method of the interface that the endpoint carries. Its arguments are the path's parameters, the query's
fields, and the body: as one argument `request`, or field by field where `spread` says so. A POST whose body says
`stream: true` goes to `streaming` instead and is answered with events.
"""

from collections.abc import Mapping
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct

from runstead.wire import page
from runstead.wire.assistant import Assistant, AssistantDeleted, AssistantRequest, AssistantUpdate
from runstead.wire.event import Event
from runstead.wire.message import Message, MessageDeleted, MessageRequest, MessageUpdate
from runstead.wire.model import Model, ModelList
from runstead.wire.page import ListQuery, MessageQuery, Page
from runstead.wire.run import Run, RunRequest, RunUpdate, ThreadRunRequest, ToolOutputs
from runstead.wire.run_step import RunStep
from runstead.wire.struct import UNSET, Request
from runstead.wire.thread import Thread, ThreadDeleted, ThreadRequest, ThreadUpdate
from runstead.wire.webhook import (
    SecretRotation,
    Webhook,
    WebhookDeleted,
    WebhookDelivery,
    WebhookRequest,
    WebhookTest,
    WebhookTestResult,
    WebhookUpdate,
    WebhookWithSecret,
)

__all__ = [
    "ASSISTANTS",
    "CANCEL",
    "CREATE_ASSISTANT",
    "CREATE_MESSAGE",
    "CREATE_RUN",
    "CREATE_THREAD",
    "CREATE_THREAD_RUN",
    "CREATE_WEBHOOK",
    "DELETE_ASSISTANT",
    "DELETE_MESSAGE",
    "DELETE_THREAD",
    "DELETE_WEBHOOK",
    "ENDPOINTS",
    "GET_ASSISTANT",
    "GET_MESSAGE",
    "GET_MODEL",
    "GET_RUN",
    "GET_THREAD",
    "GET_WEBHOOK",
    "MESSAGES",
    "MODELS",
    "REPLAY_WEBHOOK_DELIVERY",
    "ROTATE_WEBHOOK_SECRET",
    "RUNS",
    "RUN_EVENTS",
    "RUN_STEP",
    "RUN_STEPS",
    "SUBMIT_TOOL_OUTPUT",
    "TEST_WEBHOOK",
    "THREADS",
    "UPDATE_ASSISTANT",
    "UPDATE_MESSAGE",
    "UPDATE_RUN",
    "UPDATE_THREAD",
    "UPDATE_WEBHOOK",
    "WEBHOOKS",
    "WEBHOOK_DELIVERIES",
    "Endpoint",
]

R = TypeVar("R")


class Endpoint(Struct, Generic[R], frozen=True, kw_only=True):
    """One call: where it goes, what it takes and what it gives back."""

    name: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    """Below `/v1`, with `{parameters}`."""
    reply: type[R]
    body: type[Request] | None = None
    query: type[Request] | None = None
    spread: bool = False
    """The body's fields are arguments by themselves."""
    streaming: str | None = None
    """The method that answers with events, when the body asks for a stream."""
    extension: bool = False
    """Not part of the original API."""
    beta: bool = True
    """Needs the header `OpenAI-Beta: assistants=v2`."""

    def arguments(self, path: Mapping[str, str], query: Request | None, body: Request | None) -> dict[str, Any]:
        """The method's arguments, of what was sent. Absent fields are left out: the method knows its defaults."""
        arguments: dict[str, Any] = dict(path)
        if query is not None:
            arguments |= _fields(query)
        if body is not None:
            arguments |= _fields(body) if self.spread else {"request": body}
        return arguments


def _fields(request: Request) -> dict[str, Any]:
    """The fields by their names; not `stream`, which says how to answer, not what."""
    return {
        name: value
        for name in request.__struct_fields__
        if (value := getattr(request, name)) is not UNSET and name != "stream"
    }


CREATE_ASSISTANT = Endpoint(
    name="create_assistant", method="POST", path="/assistants", body=AssistantRequest, reply=Assistant
)
ASSISTANTS = Endpoint(name="assistants", method="GET", path="/assistants", query=ListQuery, reply=Page[Assistant])
GET_ASSISTANT = Endpoint(name="get_assistant", method="GET", path="/assistants/{assistant_id}", reply=Assistant)
UPDATE_ASSISTANT = Endpoint(
    name="update_assistant",
    method="POST",
    path="/assistants/{assistant_id}",
    body=AssistantUpdate,
    reply=Assistant,
)
DELETE_ASSISTANT = Endpoint(
    name="delete_assistant", method="DELETE", path="/assistants/{assistant_id}", reply=AssistantDeleted
)

CREATE_THREAD = Endpoint(name="create_thread", method="POST", path="/threads", body=ThreadRequest, reply=Thread)
THREADS = Endpoint(name="threads", method="GET", path="/threads", query=ListQuery, reply=Page[Thread], extension=True)
CREATE_THREAD_RUN = Endpoint(
    name="create_thread_run",
    method="POST",
    path="/threads/runs",
    body=ThreadRunRequest,
    reply=Run,
    streaming="create_streaming_thread_run",
)
GET_THREAD = Endpoint(name="get_thread", method="GET", path="/threads/{thread_id}", reply=Thread)
UPDATE_THREAD = Endpoint(
    name="update_thread", method="POST", path="/threads/{thread_id}", body=ThreadUpdate, reply=Thread
)
DELETE_THREAD = Endpoint(name="delete_thread", method="DELETE", path="/threads/{thread_id}", reply=ThreadDeleted)

CREATE_MESSAGE = Endpoint(
    name="create_message",
    method="POST",
    path="/threads/{thread_id}/messages",
    body=MessageRequest,
    reply=Message,
)
MESSAGES = Endpoint(
    name="messages",
    method="GET",
    path="/threads/{thread_id}/messages",
    query=MessageQuery,
    reply=Page[Message],
)
GET_MESSAGE = Endpoint(
    name="get_message", method="GET", path="/threads/{thread_id}/messages/{message_id}", reply=Message
)
UPDATE_MESSAGE = Endpoint(
    name="update_message",
    method="POST",
    path="/threads/{thread_id}/messages/{message_id}",
    body=MessageUpdate,
    spread=True,
    reply=Message,
)
DELETE_MESSAGE = Endpoint(
    name="delete_message",
    method="DELETE",
    path="/threads/{thread_id}/messages/{message_id}",
    reply=MessageDeleted,
)

CREATE_RUN = Endpoint(
    name="create_run",
    method="POST",
    path="/threads/{thread_id}/runs",
    body=RunRequest,
    query=page.IncludeQuery,
    reply=Run,
    streaming="create_streaming_run",
)
RUNS = Endpoint(name="runs", method="GET", path="/threads/{thread_id}/runs", query=ListQuery, reply=Page[Run])
GET_RUN = Endpoint(name="get_run", method="GET", path="/threads/{thread_id}/runs/{run_id}", reply=Run)
UPDATE_RUN = Endpoint(
    name="update_run",
    method="POST",
    path="/threads/{thread_id}/runs/{run_id}",
    body=RunUpdate,
    spread=True,
    reply=Run,
)
SUBMIT_TOOL_OUTPUT = Endpoint(
    name="submit_tool_output",
    method="POST",
    path="/threads/{thread_id}/runs/{run_id}/submit_tool_outputs",
    body=ToolOutputs,
    spread=True,
    reply=Run,
    streaming="submit_streaming_tool_output",
)
CANCEL = Endpoint(name="cancel", method="POST", path="/threads/{thread_id}/runs/{run_id}/cancel", reply=Run)
RUN_STEPS = Endpoint(
    name="run_steps",
    method="GET",
    path="/threads/{thread_id}/runs/{run_id}/steps",
    query=page.StepQuery,
    reply=Page[RunStep],
)
RUN_STEP = Endpoint(
    name="run_step",
    method="GET",
    path="/threads/{thread_id}/runs/{run_id}/steps/{step_id}",
    query=page.IncludeQuery,
    reply=RunStep,
)
RUN_EVENTS = Endpoint(
    name="run_events",
    method="GET",
    path="/threads/{thread_id}/runs/{run_id}/events",
    query=page.EventQuery,
    reply=Event,
    streaming="run_events",
    extension=True,
)

MODELS = Endpoint(name="models", method="GET", path="/models", reply=ModelList, beta=False)
GET_MODEL = Endpoint(name="get_model", method="GET", path="/models/{model}", reply=Model, beta=False)

CREATE_WEBHOOK = Endpoint(
    name="create_webhook",
    method="POST",
    path="/webhook_endpoints",
    body=WebhookRequest,
    reply=WebhookWithSecret,
    extension=True,
    beta=False,
)
WEBHOOKS = Endpoint(
    name="webhooks",
    method="GET",
    path="/webhook_endpoints",
    query=ListQuery,
    reply=Page[Webhook],
    extension=True,
    beta=False,
)
GET_WEBHOOK = Endpoint(
    name="get_webhook",
    method="GET",
    path="/webhook_endpoints/{webhook_id}",
    reply=Webhook,
    extension=True,
    beta=False,
)
UPDATE_WEBHOOK = Endpoint(
    name="update_webhook",
    method="POST",
    path="/webhook_endpoints/{webhook_id}",
    body=WebhookUpdate,
    reply=Webhook,
    extension=True,
    beta=False,
)
DELETE_WEBHOOK = Endpoint(
    name="delete_webhook",
    method="DELETE",
    path="/webhook_endpoints/{webhook_id}",
    reply=WebhookDeleted,
    extension=True,
    beta=False,
)
ROTATE_WEBHOOK_SECRET = Endpoint(
    name="rotate_webhook_secret",
    method="POST",
    path="/webhook_endpoints/{webhook_id}/rotate_secret",
    body=SecretRotation,
    spread=True,
    reply=WebhookWithSecret,
    extension=True,
    beta=False,
)
TEST_WEBHOOK = Endpoint(
    name="test_webhook",
    method="POST",
    path="/webhook_endpoints/{webhook_id}/test",
    body=WebhookTest,
    spread=True,
    reply=WebhookTestResult,
    extension=True,
    beta=False,
)
WEBHOOK_DELIVERIES = Endpoint(
    name="webhook_deliveries",
    method="GET",
    path="/webhook_endpoints/{webhook_id}/deliveries",
    query=ListQuery,
    reply=Page[WebhookDelivery],
    extension=True,
    beta=False,
)
REPLAY_WEBHOOK_DELIVERY = Endpoint(
    name="replay_webhook_delivery",
    method="POST",
    path="/webhook_endpoints/{webhook_id}/deliveries/{delivery_id}/replay",
    reply=WebhookDelivery,
    extension=True,
    beta=False,
)

ENDPOINTS: dict[str, Endpoint[Any]] = {
    value.name: value for value in list(globals().values()) if isinstance(value, Endpoint)
}
"""Every endpoint, by name. `/threads/runs` stands before `/threads/{thread_id}`: the first match wins."""
