"""The calls of every endpoint: arguments, request and reply. Shared by the tests of both clients."""

from collections.abc import Mapping
from typing import Any

from runstead.wire.assistant import AssistantRequest, AssistantUpdate
from runstead.wire.embedding import EmbeddingRequest
from runstead.wire.message import MessageRequest
from runstead.wire.run import RunRequest, ThreadRunRequest
from runstead.wire.struct import SortOrder
from runstead.wire.thread import ThreadRequest, ThreadUpdate
from runstead.wire.tool import ToolOutput
from runstead.wire.webhook import WebhookRequest, WebhookUpdate
from tests.client import samples, vector_store_cases
from tests.client.samples import (
    ASSISTANT_ID,
    DELIVERY_ID,
    MESSAGE_ID,
    RUN_ID,
    RUN_PATH,
    STEP_ID,
    THREAD_ID,
    WEBHOOK_ID,
)

__all__ = ["CASES", "STREAMING"]

THREAD_PATH = f"/threads/{THREAD_ID}"
MESSAGE_PATH = f"{THREAD_PATH}/messages/{MESSAGE_ID}"
WEBHOOK_PATH = f"/webhook_endpoints/{WEBHOOK_ID}"
ASSISTANT_PATH = f"/assistants/{ASSISTANT_ID}"
INCLUDE = "step_details.tool_calls[*].file_search.results[*].content"
FILE = {
    "id": "file-1",
    "object": "file",
    "bytes": 3,
    "created_at": 1,
    "filename": "a",
    "purpose": "vision",
    "status": "processed",
}
FILE_DELETED = {"id": "file-1", "object": "file", "deleted": True}
LIMITS_PATH = "/organization/projects/p1/limits"
LIMITS = {"object": "organization.project.limits", "project_id": "p1", "max_running": 3, "max_queued": None}
MODEL = {"id": "m", "object": "model", "created": 1, "owned_by": "someone"}

Case = tuple[dict[str, Any], str, str, Any, Any]
"""Arguments, method, target, the body sent (None: no body), and the reply (None: a stream)."""
CASES: Mapping[str, Case] = {
    "create_assistant": (
        {"request": AssistantRequest(model="m", name=None)},
        "POST",
        "/assistants",
        {"model": "m", "name": None},
        samples.assistant(),
    ),
    "assistants": (
        {"limit": 5, "order": SortOrder.ASC},
        "GET",
        "/assistants?limit=5&order=asc",
        None,
        samples.page(samples.assistant()),
    ),
    "get_assistant": ({"assistant_id": ASSISTANT_ID}, "GET", ASSISTANT_PATH, None, samples.assistant()),
    "update_assistant": (
        {"assistant_id": ASSISTANT_ID, "request": AssistantUpdate(name="n")},
        "POST",
        ASSISTANT_PATH,
        {"name": "n"},
        samples.assistant(),
    ),
    "delete_assistant": (
        {"assistant_id": ASSISTANT_ID},
        "DELETE",
        ASSISTANT_PATH,
        None,
        samples.deleted(ASSISTANT_ID, "assistant"),
    ),
    "create_thread": (
        {"request": ThreadRequest(metadata={"a": "b"})},
        "POST",
        "/threads",
        {"metadata": {"a": "b"}},
        samples.thread(),
    ),
    "threads": ({"after": THREAD_ID}, "GET", f"/threads?after={THREAD_ID}", None, samples.page(samples.thread())),
    "get_thread": ({"thread_id": THREAD_ID}, "GET", THREAD_PATH, None, samples.thread()),
    "update_thread": (
        {"thread_id": THREAD_ID, "request": ThreadUpdate(metadata=None)},
        "POST",
        THREAD_PATH,
        {"metadata": None},
        samples.thread(),
    ),
    "delete_thread": ({"thread_id": THREAD_ID}, "DELETE", THREAD_PATH, None, samples.deleted(THREAD_ID, "thread")),
    "create_message": (
        {"thread_id": THREAD_ID, "request": MessageRequest(role="user", content="hi")},
        "POST",
        f"{THREAD_PATH}/messages",
        {"role": "user", "content": "hi"},
        samples.message(),
    ),
    "messages": (
        {"thread_id": THREAD_ID, "before": MESSAGE_ID, "run_id": RUN_ID},
        "GET",
        f"{THREAD_PATH}/messages?before={MESSAGE_ID}&run_id={RUN_ID}",
        None,
        samples.page(samples.message()),
    ),
    "get_message": (
        {"thread_id": THREAD_ID, "message_id": MESSAGE_ID},
        "GET",
        MESSAGE_PATH,
        None,
        samples.message(),
    ),
    "update_message": (
        {"thread_id": THREAD_ID, "message_id": MESSAGE_ID},
        "POST",
        MESSAGE_PATH,
        {},
        samples.message(),
    ),
    "delete_message": (
        {"thread_id": THREAD_ID, "message_id": MESSAGE_ID},
        "DELETE",
        MESSAGE_PATH,
        None,
        samples.deleted(MESSAGE_ID, "thread.message"),
    ),
    "create_run": (
        {"thread_id": THREAD_ID, "request": RunRequest(assistant_id=ASSISTANT_ID, stream=True), "include": [INCLUDE]},
        "POST",
        f"{THREAD_PATH}/runs?include%5B%5D=step_details.tool_calls%5B%2A%5D.file_search.results%5B%2A%5D.content",
        {"assistant_id": ASSISTANT_ID},
        samples.run(),
    ),
    "runs": ({"thread_id": THREAD_ID}, "GET", f"{THREAD_PATH}/runs", None, samples.page(samples.run())),
    "get_run": ({"thread_id": THREAD_ID, "run_id": RUN_ID}, "GET", RUN_PATH, None, samples.run()),
    "update_run": (
        {"thread_id": THREAD_ID, "run_id": RUN_ID, "metadata": {"k": "v"}},
        "POST",
        RUN_PATH,
        {"metadata": {"k": "v"}},
        samples.run(),
    ),
    "submit_tool_output": (
        {"thread_id": THREAD_ID, "run_id": RUN_ID, "output": [ToolOutput(tool_call_id="call_1", output="42")]},
        "POST",
        f"{RUN_PATH}/submit_tool_outputs",
        {"tool_outputs": [{"tool_call_id": "call_1", "output": "42"}]},
        samples.run(),
    ),
    "cancel": ({"thread_id": THREAD_ID, "run_id": RUN_ID}, "POST", f"{RUN_PATH}/cancel", None, samples.run()),
    "create_thread_run": (
        {"request": ThreadRunRequest(assistant_id=ASSISTANT_ID)},
        "POST",
        "/threads/runs",
        {"assistant_id": ASSISTANT_ID},
        samples.run(),
    ),
    "run_step": (
        {"thread_id": THREAD_ID, "run_id": RUN_ID, "step_id": STEP_ID},
        "GET",
        f"{RUN_PATH}/steps/{STEP_ID}",
        None,
        samples.step(),
    ),
    "run_steps": (
        {"thread_id": THREAD_ID, "run_id": RUN_ID, "limit": 1},
        "GET",
        f"{RUN_PATH}/steps?limit=1",
        None,
        samples.page(samples.step()),
    ),
    "run_events": (
        {"thread_id": THREAD_ID, "run_id": RUN_ID, "after": "17.4"},
        "GET",
        f"{RUN_PATH}/events?after=17.4",
        None,
        None,
    ),
    "create_webhook": (
        {"request": WebhookRequest(url="https://example.com/a")},
        "POST",
        "/webhook_endpoints",
        {"url": "https://example.com/a"},
        samples.webhook(signing_secret="whsec_a"),
    ),
    "webhooks": (
        {"limit": 2, "before": WEBHOOK_ID},
        "GET",
        f"/webhook_endpoints?limit=2&before={WEBHOOK_ID}",
        None,
        samples.page(samples.webhook()),
    ),
    "get_webhook": ({"webhook_id": WEBHOOK_ID}, "GET", WEBHOOK_PATH, None, samples.webhook()),
    "update_webhook": (
        {"webhook_id": WEBHOOK_ID, "request": WebhookUpdate(enabled=False)},
        "POST",
        WEBHOOK_PATH,
        {"enabled": False},
        samples.webhook(),
    ),
    "delete_webhook": (
        {"webhook_id": WEBHOOK_ID},
        "DELETE",
        WEBHOOK_PATH,
        None,
        samples.deleted(WEBHOOK_ID, "webhook_endpoint"),
    ),
    "rotate_webhook_secret": (
        {"webhook_id": WEBHOOK_ID, "keep_old": True},
        "POST",
        f"{WEBHOOK_PATH}/rotate_secret",
        {"keep_old_secret_active_for_24_hours": True},
        samples.webhook(signing_secret="whsec_b"),
    ),
    "test_webhook": (
        {"webhook_id": WEBHOOK_ID, "event_type": "thread.run.failed"},
        "POST",
        f"{WEBHOOK_PATH}/test",
        {"event_type": "thread.run.failed"},
        {"webhook_endpoint_id": WEBHOOK_ID, "event_type": "thread.run.failed", "status_code": 204},
    ),
    "project_limits": ({"project_id": "p1"}, "GET", LIMITS_PATH, None, LIMITS),
    "update_project_limits": (
        {"project_id": "p1", "max_running": 3, "max_queued": None},
        "POST",
        LIMITS_PATH,
        {"max_running": 3, "max_queued": None},
        LIMITS,
    ),
    "webhook_deliveries": (
        {"webhook_id": WEBHOOK_ID, "after": DELIVERY_ID},
        "GET",
        f"{WEBHOOK_PATH}/deliveries?after={DELIVERY_ID}",
        None,
        samples.page(samples.delivery()),
    ),
    "replay_webhook_delivery": (
        {"webhook_id": WEBHOOK_ID, "delivery_id": DELIVERY_ID},
        "POST",
        f"{WEBHOOK_PATH}/deliveries/{DELIVERY_ID}/replay",
        None,
        samples.delivery(),
    ),
    "files": (
        {"limit": 9000, "purpose": "vision"},
        "GET",
        "/files?limit=9000&purpose=vision",
        None,
        samples.page(FILE),
    ),
    "get_file": ({"file_id": "file-1"}, "GET", "/files/file-1", None, FILE),
    "delete_file": (
        {"file_id": "file-1"},
        "DELETE",
        "/files/file-1",
        None,
        {"id": "file-1", "object": "file", "deleted": True},
    ),
    "models": ({}, "GET", "/models", None, {"object": "list", "data": [MODEL]}),
    "embeddings": (
        {"request": EmbeddingRequest(model="m", input=["a"], encoding_format="base64")},
        "POST",
        "/embeddings",
        {"model": "m", "input": ["a"], "encoding_format": "base64"},
        {
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": "AACAPw=="}],
            "model": "m",
            "usage": {"prompt_tokens": 1, "total_tokens": 1},
        },
    ),
    **vector_store_cases.CASES,
    "get_model": ({"model": "a/b"}, "GET", "/models/a%2Fb", None, MODEL),
}
STREAMING: Mapping[str, tuple[str, dict[str, Any]]] = {
    "create_streaming_run": ("create_run", {"assistant_id": ASSISTANT_ID, "stream": True}),
    "submit_streaming_tool_output": (
        "submit_tool_output",
        {"tool_outputs": [{"tool_call_id": "call_1", "output": "42"}], "stream": True},
    ),
    "create_streaming_thread_run": ("create_thread_run", {"assistant_id": ASSISTANT_ID, "stream": True}),
}
