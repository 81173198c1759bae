"""A fake Assistants server of minimal cost, for measuring clients: it always answers with the same run or stream.

`thread_fine` streams one event per chunk, like a server that forwards each token; `thread_coarse` many per chunk, like
a server under load.
"""

import json

from benchmarks.service import LAST_CHUNK, Exchange, Request, as_json, chunk, chunked_head, serve

DELTAS = 2000
EVENTS = DELTAS + 5
"""Events of one stream, without the final `done`."""
COARSE = 32

RUN = {
    "id": "run_abcdefghijklmnopqrstuvwx",
    "object": "thread.run",
    "created_at": 1790000000,
    "thread_id": "thread_abcdefghijklmnopqrstuvwx",
    "assistant_id": "asst_abcdefghijklmnopqrstuvwx",
    "status": "completed",
    "required_action": None,
    "last_error": None,
    "expires_at": None,
    "started_at": 1790000001,
    "cancelled_at": None,
    "failed_at": None,
    "completed_at": 1790000002,
    "incomplete_details": None,
    "model": "tokens-20",
    "instructions": "Answer in one sentence.",
    "tools": [
        {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
    ],
    "metadata": {"customer": "17"},
    "usage": {"prompt_tokens": 21, "completion_tokens": 20, "total_tokens": 41},
    "temperature": 1.0,
    "top_p": 1.0,
    "max_prompt_tokens": None,
    "max_completion_tokens": None,
    "truncation_strategy": {"type": "auto", "last_messages": None},
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "response_format": "auto",
    "reasoning_effort": None,
}
MESSAGE = {
    "id": "msg_abcdefghijklmnopqrstuvwx",
    "object": "thread.message",
    "created_at": 1790000001,
    "thread_id": RUN["thread_id"],
    "status": "in_progress",
    "incomplete_details": None,
    "completed_at": None,
    "incomplete_at": None,
    "role": "assistant",
    "content": [],
    "assistant_id": RUN["assistant_id"],
    "run_id": RUN["id"],
    "attachments": [],
    "metadata": {},
}


def event(name: str, data: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def delta(number: int) -> bytes:
    content = [{"index": 0, "type": "text", "text": {"value": f" {number:04d}"}}]
    return event(
        "thread.message.delta", {"id": MESSAGE["id"], "object": "thread.message.delta", "delta": {"content": content}}
    )


def stream(events_a_chunk: int) -> list[bytes]:
    """The whole response in one write, so that writing does not cost more than reading."""
    whole = "".join(f" {number:04d}" for number in range(DELTAS))
    said = {"status": "completed", "content": [{"type": "text", "text": {"value": whole, "annotations": []}}]}
    events = [event("thread.run.created", RUN | {"status": "queued"})]
    events.append(event("thread.run.in_progress", RUN | {"status": "in_progress"}))
    events.append(event("thread.message.created", MESSAGE))
    events += [delta(number) for number in range(DELTAS)]
    events += [event("thread.message.completed", MESSAGE | said), event("thread.run.completed", RUN)]
    events.append(event("done", None).replace(b"null", b"[DONE]"))
    chunks = [chunk(b"".join(events[at : at + events_a_chunk])) for at in range(0, len(events), events_a_chunk)]
    return [chunked_head() + b"".join(chunks) + LAST_CHUNK]


GET_RUN = [as_json(RUN)]
STREAMS = {b"thread_fine": stream(1), b"thread_coarse": stream(COARSE)}


def answer(request: Request, exchange: Exchange) -> None:
    if request.method == b"GET":
        exchange.send(GET_RUN)
    else:
        exchange.send(STREAMS[request.path.split(b"/")[3]])


if __name__ == "__main__":
    serve(answer)
