"""Objects as servers send them, written by hand rather than made by the code under test."""

from typing import Any

THREAD_ID = "thread_" + "t" * 24
RUN_ID = "run_" + "r" * 24
ASSISTANT_ID = "asst_" + "a" * 24
MESSAGE_ID = "msg_" + "m" * 24
STEP_ID = "step_" + "s" * 24
WEBHOOK_ID = "webhook_" + "w" * 24
DELIVERY_ID = "evt_" + "r" * 24 + "4"
STORE_ID = "vs_" + "v" * 24
BATCH_ID = "vsfb_" + "b" * 24
FILE_ID = "file-" + "f" * 22
RUN_PATH = f"/threads/{THREAD_ID}/runs/{RUN_ID}"
RUNS_PATH = f"/threads/{THREAD_ID}/runs"
EVENTS_PATH = f"{RUN_PATH}/events"
OUTPUTS_PATH = f"{RUN_PATH}/submit_tool_outputs"


def assistant(id: str = ASSISTANT_ID, **fields: Any) -> dict[str, Any]:
    return {
        "id": id,
        "object": "assistant",
        "created_at": 1,
        "name": None,
        "description": None,
        "model": "m",
        "instructions": None,
        "tools": [],
        "tool_resources": {},
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "response_format": "auto",
    } | fields


def thread(id: str = THREAD_ID, **fields: Any) -> dict[str, Any]:
    return {"id": id, "object": "thread", "created_at": 1, "tool_resources": {}, "metadata": {}} | fields


def message(id: str = MESSAGE_ID, text: str | None = None, **fields: Any) -> dict[str, Any]:
    content = [] if text is None else [{"type": "text", "text": {"value": text, "annotations": []}}]
    return {
        "id": id,
        "object": "thread.message",
        "created_at": 1,
        "thread_id": THREAD_ID,
        "role": "assistant",
        "content": content,
        "assistant_id": ASSISTANT_ID,
        "run_id": RUN_ID,
        "attachments": [],
        "metadata": {},
    } | fields


def run(status: str = "queued", id: str = RUN_ID, **fields: Any) -> dict[str, Any]:
    return {
        "id": id,
        "object": "thread.run",
        "created_at": 1,
        "thread_id": THREAD_ID,
        "assistant_id": ASSISTANT_ID,
        "status": status,
        "model": "m",
        "instructions": None,
        "tools": [],
        "metadata": {},
    } | fields


def waiting_run(*calls: dict[str, Any]) -> dict[str, Any]:
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": list(calls)}}
    return run("requires_action", required_action=action)


def call(name: str, arguments: str = "{}", id: str = "call_1") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def step(id: str = STEP_ID, **fields: Any) -> dict[str, Any]:
    return {
        "id": id,
        "object": "thread.run.step",
        "created_at": 1,
        "run_id": RUN_ID,
        "assistant_id": ASSISTANT_ID,
        "thread_id": THREAD_ID,
        "type": "message_creation",
        "status": "in_progress",
        "step_details": {"type": "message_creation", "message_creation": {"message_id": MESSAGE_ID}},
        "usage": None,
    } | fields


def webhook(**fields: Any) -> dict[str, Any]:
    return {
        "id": WEBHOOK_ID,
        "object": "webhook_endpoint",
        "created_at": 1,
        "updated_at": 2,
        "name": "",
        "url": "https://example.com/a",
        "event_types": ["thread.run.completed"],
        "enabled": True,
    } | fields


def delivery(**fields: Any) -> dict[str, Any]:
    return {
        "id": DELIVERY_ID,
        "object": "webhook_endpoint.delivery",
        "created_at": 1,
        "webhook_id": WEBHOOK_ID,
        "event_type": "thread.run.completed",
        "thread_id": THREAD_ID,
        "run_id": RUN_ID,
    } | fields


def delta(text: str, id: str = MESSAGE_ID) -> dict[str, Any]:
    content = [{"index": 0, "type": "text", "text": {"value": text}}]
    return {"id": id, "object": "thread.message.delta", "delta": {"content": content}}


def page(*items: dict[str, Any], has_more: bool = False) -> dict[str, Any]:
    ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {"first_id": None, "last_id": None}
    return {"object": "list", "data": list(items), "has_more": has_more} | ends


def deleted(id: str, kind: str) -> dict[str, Any]:
    return {"id": id, "object": f"{kind}.deleted", "deleted": True}


def vector_store(status: str = "completed", **fields: Any) -> dict[str, Any]:
    return {
        "id": STORE_ID,
        "object": "vector_store",
        "created_at": 1,
        "name": None,
        "usage_bytes": 0,
        "file_counts": {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0},
        "status": status,
        "last_active_at": 1,
        "metadata": {},
    } | fields


def store_file(status: str = "completed", **fields: Any) -> dict[str, Any]:
    sizes = {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}
    return {
        "id": FILE_ID,
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": 1,
        "vector_store_id": STORE_ID,
        "status": status,
        "last_error": None,
        "chunking_strategy": {"type": "static", "static": sizes},
        "attributes": {},
    } | fields


def file_batch(status: str = "completed", **fields: Any) -> dict[str, Any]:
    return {
        "id": BATCH_ID,
        "object": "vector_store.file_batch",
        "created_at": 1,
        "vector_store_id": STORE_ID,
        "status": status,
        "file_counts": {"in_progress": 0, "completed": 1, "failed": 0, "cancelled": 0, "total": 1},
    } | fields
