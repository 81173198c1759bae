"""How requests become calls of the interface."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from inspect import signature
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from msgspec import UNSET
from msgspec.structs import asdict

from runstead.domain.access import Credentials
from runstead.interface import Interface
from runstead.interface.streams import StreamCall
from runstead.wire.error import Unauthorized
from runstead.wire.event import RawEvent
from runstead.wire.model import Model
from runstead.wire.run import Run, RunRequest, Status
from runstead.wire.struct import SortOrder
from runstead.wire.tool import ToolOutput
from tests.api.served import Stage, called, frames, raw, served

RUN = Run(id="run_1", created_at=1, thread_id="thread_1", assistant_id="asst_1", status=Status.QUEUED, model="m")
PATH = "/threads/thread_1/runs/run_1"
RESULTS = "step_details.tool_calls[*].file_search.results[*].content"


class Recorder(Stage):
    """Records its calls, and replies with a run."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        async def method(*arguments: Any) -> Run:
            bound = signature(getattr(Interface, name)).bind(self, *arguments)
            self.calls.append((name, {key: value for key, value in bound.arguments.items() if key != "self"}))
            return RUN

        return method

    async def stream(self, call: StreamCall) -> AsyncIterator[Sequence[RawEvent]]:
        self.calls.append((type(call).__name__, asdict(call)))
        yield [raw(1)]


@pytest.mark.parametrize(
    ("method", "path", "body", "call", "arguments"),
    [
        ("GET", PATH, None, "get_run", {"thread_id": "thread_1", "run_id": "run_1"}),
        (
            "GET", "/threads?limit=5&order=asc&after=thread_9", None,
            "threads", {"limit": 5, "order": SortOrder.ASC, "after": "thread_9", "before": None},
        ),
        (
            "GET", "/threads/thread_1/messages?run_id=run_1", None,
            "messages",
            {"thread_id": "thread_1", "limit": 20, "order": SortOrder.DESC, "after": None, "before": None,
             "run_id": "run_1"},
        ),
        (
            "GET", f"{PATH}/steps/step_1?include%5B%5D={quote(RESULTS)}",
            None,
            "run_step", {"thread_id": "thread_1", "run_id": "run_1", "step_id": "step_1", "include": [RESULTS]},
        ),
        (
            "POST", "/threads/thread_1/runs", {"assistant_id": "asst_1"},
            "create_run",
            {"thread_id": "thread_1", "include": [], "request": RunRequest(assistant_id="asst_1")},
        ),
        ("POST", PATH, {}, "update_run", {"thread_id": "thread_1", "run_id": "run_1", "metadata": UNSET}),
        ("POST", PATH, None, "update_run", {"thread_id": "thread_1", "run_id": "run_1", "metadata": UNSET}),
        (
            "POST", PATH, {"metadata": None},
            "update_run", {"thread_id": "thread_1", "run_id": "run_1", "metadata": None},
        ),
        (
            "POST", f"{PATH}/submit_tool_outputs",
            {"tool_outputs": [{"tool_call_id": "call_1", "output": "x"}], "stream": False},
            "submit_tool_output",
            {"thread_id": "thread_1", "run_id": "run_1", "output": [ToolOutput(tool_call_id="call_1", output="x")]},
        ),
        ("POST", f"{PATH}/cancel", None, "cancel", {"thread_id": "thread_1", "run_id": "run_1"}),
        ("POST", f"{PATH}/cancel", {"anything": 1}, "cancel", {"thread_id": "thread_1", "run_id": "run_1"}),
        ("GET", "/models/org/name-7b", None, "get_model", {"model": "org/name-7b"}),
        ("GET", "/models/org%2Fname", None, "get_model", {"model": "org/name"}),
    ],
)  # fmt: skip
async def test_requests_become_calls(method: str, path: str, body: Any, call: str, arguments: dict[str, Any]) -> None:
    recorder = Recorder()
    async with called(recorder) as client:
        response = await client.request(method, path, json=body)
    assert response.status_code == 200, response.text
    assert recorder.calls == [(call, arguments)]
    assert msgspec.json.decode(response.content, type=Run) == RUN


@pytest.mark.parametrize(
    ("method", "path", "body", "call"),
    [
        ("POST", "/threads/t/runs", {"assistant_id": "a", "stream": True}, "CreateRunStream"),
        ("POST", "/threads/runs", {"assistant_id": "a", "stream": True}, "CreateThreadRunStream"),
        ("POST", f"{PATH}/submit_tool_outputs", {"tool_outputs": [], "stream": True}, "SubmitToolOutputStream"),
        ("GET", f"{PATH}/events", None, "RunEventStream"),
    ],
)
async def test_only_the_body_asks_for_a_stream(method: str, path: str, body: Any, call: str) -> None:
    recorder = Recorder()
    async with (
        served(recorder) as client,
        client.stream(method, path, json=body, headers={"Accept": "application/json"}) as response,
    ):
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert [frame.event async for frame in frames(response)] == ["thread.run.queued", "done"]
    assert [name for name, _ in recorder.calls] == [call]
    assert "stream" not in recorder.calls[0][1]


@pytest.mark.parametrize("stream", [False, None])
async def test_the_accept_header_does_not_ask_for_a_stream(stream: bool | None) -> None:
    async with called(Recorder()) as client:
        body = {"assistant_id": "a", "stream": stream}
        response = await client.post("/threads/t/runs", json=body, headers={"Accept": "text/event-stream"})
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("query", "header", "after"),
    [
        ("", {}, None),
        ("?after=17.4", {}, "17.4"),
        ("", {"Last-Event-ID": "3"}, "3"),
        ("?after=1", {"Last-Event-ID": "3"}, "3"),
    ],
)
async def test_last_event_id_overrides_after(query: str, header: dict[str, str], after: str | None) -> None:
    recorder = Recorder()
    async with called(recorder) as client:
        await client.get(f"{PATH}/events{query}", headers=header)
    assert recorder.calls[0][1]["after"] == after


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (Status.QUEUED, "100"), (Status.IN_PROGRESS, "100"), (Status.CANCELLING, "100"),
        (Status.REQUIRES_ACTION, None), (Status.COMPLETED, None),
    ],
)  # fmt: skip
async def test_a_poll_of_an_active_run_gets_a_poll_interval(status: Status, told: str | None) -> None:
    async def get_run(*_: str) -> Run:
        return msgspec.structs.replace(RUN, status=status)

    async with called(Stage(get_run=get_run)) as client:
        assert (await client.get(PATH)).headers.get("openai-poll-after-ms") == told


@pytest.mark.parametrize(
    ("headers", "credentials"),
    [
        ({}, Credentials()),
        ({"Authorization": "Bearer rs-1"}, Credentials("rs-1")),
        ({"authorization": "bearer  rs-1 "}, Credentials("rs-1")),
        ({"api-key": "rs-2"}, Credentials("rs-2")),
        ({"Authorization": "Bearer rs-1", "api-key": "rs-2"}, Credentials("rs-1")),
        ({"Authorization": "Basic abc", "api-key": "rs-2", "OpenAI-Project": "p"}, Credentials("rs-2", "p")),
        ({"OpenAI-Project": "p"}, Credentials(None, "p")),
    ],
    ids=str,
)
async def test_credentials_are_read_from_the_headers(headers: dict[str, str], credentials: Credentials) -> None:
    stage = Recorder()
    async with called(stage) as client:
        await client.get(PATH, headers=headers)
    assert stage.entered == [credentials]
    assert "rs-" not in repr(credentials)


async def test_a_missing_scope_is_refused_before_the_body_is_read() -> None:
    stage = Recorder()
    stage.scopes = frozenset({"admin"})
    async with called(stage) as client:
        refused = await client.post("/assistants", content=b"not json")
    assert refused.status_code == 403
    assert refused.json()["error"] == {
        "message": "You have insufficient permissions for this operation. Missing scopes: project.",
        "type": "invalid_request_error",
        "param": None,
        "code": "missing_scope",
    }
    assert stage.calls == []


async def test_refused_credentials_are_an_error_response() -> None:
    class Closed(Recorder):
        async def enter(self, credentials: Credentials) -> Any:
            raise Unauthorized("Incorrect API key provided.", code="invalid_api_key")

    async with called(Closed()) as client:
        refused = await client.get(PATH)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")


async def test_requests_are_handled_concurrently() -> None:
    first, second = asyncio.Event(), asyncio.Event()

    async def get_model(model: str) -> Model:
        mine, other = (first, second) if model == "a" else (second, first)
        mine.set()
        await other.wait()
        return Model(id=model)

    async with called(Stage(get_model=get_model)) as client:
        answers = await asyncio.gather(client.get("/models/a"), client.get("/models/b"))
    assert [answer.json()["id"] for answer in answers] == ["a", "b"]
