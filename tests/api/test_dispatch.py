"""What of a request reaches the interface, under which name."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

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
    """Writes down how it is called, and answers with a run."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        async def method(**arguments: Any) -> Run:
            self.calls.append((name, arguments))
            return RUN

        return method

    async def stream(self, name: str, **arguments: Any) -> AsyncIterator[Sequence[RawEvent]]:
        self.calls.append((name, arguments))
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
        ("POST", PATH, {}, "update_run", {"thread_id": "thread_1", "run_id": "run_1"}),
        ("POST", PATH, None, "update_run", {"thread_id": "thread_1", "run_id": "run_1"}),
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
async def test_a_request_is_a_call(method: str, path: str, body: Any, call: str, arguments: dict[str, Any]) -> None:
    recorder = Recorder()
    async with called(recorder) as client:
        response = await client.request(method, path, json=body)
    assert response.status_code == 200, response.text
    assert recorder.calls == [(call, arguments)]
    assert msgspec.json.decode(response.content, type=Run) == RUN


@pytest.mark.parametrize(
    ("method", "path", "body", "call"),
    [
        ("POST", "/threads/t/runs", {"assistant_id": "a", "stream": True}, "create_streaming_run"),
        ("POST", "/threads/runs", {"assistant_id": "a", "stream": True}, "create_streaming_thread_run"),
        ("POST", f"{PATH}/submit_tool_outputs", {"tool_outputs": [], "stream": True}, "submit_streaming_tool_output"),
        ("GET", f"{PATH}/events", None, "run_events"),
    ],
)
async def test_a_stream_is_asked_for_by_the_body_alone(method: str, path: str, body: Any, call: str) -> None:
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
async def test_accepting_events_is_not_asking_for_them(stream: bool | None) -> None:
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
async def test_a_reader_goes_on_after_its_last_event_the_header_first(
    query: str, header: dict[str, str], after: str | None
) -> None:
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
async def test_who_polls_an_active_run_is_told_when_to_come_back(status: Status, told: str | None) -> None:
    async def get_run(**_: str) -> Run:
        return msgspec.structs.replace(RUN, status=status)

    async with called(Stage(get_run=get_run)) as client:
        assert (await client.get(PATH)).headers.get("openai-poll-after-ms") == told


async def test_everything_happens_in_the_default_project() -> None:
    stage = Recorder()
    async with called(stage) as client:
        await client.get(PATH, headers={"Authorization": "Bearer whatever"})
    assert stage.asked == ["default"]


async def test_requests_wait_for_each_other_no_more_than_they_must() -> None:
    first, second = asyncio.Event(), asyncio.Event()

    async def get_model(model: str) -> Model:
        mine, other = (first, second) if model == "a" else (second, first)
        mine.set()
        await other.wait()
        return Model(id=model)

    async with called(Stage(get_model=get_model)) as client:
        answers = await asyncio.gather(client.get("/models/a"), client.get("/models/b"))
    assert [answer.json()["id"] for answer in answers] == ["a", "b"]
