"""One API under the prefixes of several services."""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from runstead.api.address import Address, address_of
from runstead.domain.access import Credentials
from runstead.interface.streams import StreamCall
from runstead.wire.endpoints import ENDPOINTS
from runstead.wire.endpoints.endpoint import AnyEndpoint
from runstead.wire.event import RawEvent
from runstead.wire.file import FileContent
from runstead.wire.model import Model
from runstead.wire.run import Run, Status
from tests.api.served import Stage, called, engine, raw

PREFIXES = [
    "/v1",
    "/openai",
    "/openai/v1",
    "/openai/deployments/gpt-4o",
    "/openai/deployments/gpt-4o/v1",
    "/api/projects/p",
    "/api/projects/p/v1",
    "/api/projects/p/openai",
    "/api/projects/p/openai/v1",
]
OTHERS = PREFIXES[1:]
REPLY = Run(id="run_1", created_at=1, thread_id="thread_1", assistant_id="asst_1", status=Status.QUEUED, model="m")
RUN = "/threads/thread_1/runs/run_1"


def at(prefix: str, path: str) -> str:
    return f"http://127.0.0.1{prefix}{path}"


async def no_bytes(start: int, end: int) -> AsyncIterator[bytes]:
    for _ in range(start, end):
        yield b"x"


CONTENT = FileContent(read=no_bytes, size=3)


class Recorder(Stage):
    """Records which method of the interface is called, and with what."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        async def method(*arguments: Any) -> Run | FileContent:
            self.calls.append((name, arguments))
            return CONTENT if name == "file_content" else REPLY

        return method

    async def stream(self, call: StreamCall) -> AsyncIterator[Sequence[RawEvent]]:
        self.calls.append((type(call).__name__, msgspec.structs.astuple(call)))
        yield [raw(1)]


@pytest.mark.parametrize("prefix", OTHERS)
def test_a_prefix_of_another_service_addresses_the_same_path(prefix: str) -> None:
    project = "p" if "projects" in prefix else None
    assert address_of(prefix + RUN) == Address("/v1" + RUN, project, needs_beta=False)


@pytest.mark.parametrize(
    "path",
    ["/", "/health", "/docs", "/openai", "/openai2/threads", "/api/threads", "/api/projects/p", "/api/projects//x",
     "/x/openai/threads", "//openai/threads"],
)  # fmt: skip
def test_other_paths_address_nothing(path: str) -> None:
    assert address_of(path) is None


@pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS)
async def test_every_endpoint_is_called_alike_under_every_prefix(endpoint: AnyEndpoint) -> None:
    path = re.sub(r"\{(\w+)\}", r"\1", endpoint.path)
    outcomes = []
    for prefix in PREFIXES:
        stage = Recorder()
        async with called(stage) as client:
            response = await client.request(endpoint.method, at(prefix, path))
        outcomes.append((stage.calls, response.status_code, response.content))
    assert all(outcome == outcomes[0] for outcome in outcomes)


async def ask(url: str, headers: dict[str, str] | None = None) -> httpx2.Response:
    """A call that needs the beta header, without it."""
    async with called(Recorder()) as client:
        del client.headers["OpenAI-Beta"]
        return await client.get(url, headers=headers)


@pytest.mark.parametrize("prefix", OTHERS)
@pytest.mark.parametrize("headers", [{}, {"OpenAI-Beta": "assistants=v1"}])
async def test_calls_under_other_prefixes_need_no_beta_header(prefix: str, headers: dict[str, str]) -> None:
    assert (await ask(at(prefix, "/threads/thread_1"), headers)).status_code == 200


@pytest.mark.parametrize(
    "query", ["api-version=v1", "api-version=2024-05-01-preview", "api-version=", "a=b&api-version=x"]
)
async def test_a_call_with_an_api_version_needs_no_beta_header(query: str) -> None:
    assert (await ask(at("/v1", f"/threads/thread_1?{query}"))).status_code == 200


@pytest.mark.parametrize("query", ["", "version=v1", "my-api-version=v1", "x=api-version=v1"])
async def test_any_other_call_needs_it(query: str) -> None:
    response = await ask(at("/v1", f"/threads/thread_1?{query}"))
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_beta")


@pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS)
async def test_every_endpoint_takes_an_api_version(endpoint: AnyEndpoint) -> None:
    path = re.sub(r"\{(\w+)\}", r"\1", endpoint.path)
    async with called(Recorder()) as client:
        with_version = await client.request(endpoint.method, at("/v1", path) + "?api-version=2025-05-01")
        without = await client.request(endpoint.method, at("/v1", path))
    assert (with_version.status_code, with_version.content) == (without.status_code, without.content)


@pytest.mark.parametrize(
    ("prefix", "headers", "credentials"),
    [
        ("/openai", {"api-key": "rs-1"}, Credentials("rs-1")),
        ("/openai/deployments/d", {"Authorization": "Bearer token"}, Credentials("token")),
        ("/api/projects/p", {}, Credentials(None, "p")),
        ("/api/projects/p", {"api-key": "rs-1", "OpenAI-Project": "q"}, Credentials("rs-1", "p")),
        ("/openai", {"OpenAI-Project": "q"}, Credentials(None, "q")),
    ],
)
async def test_the_key_and_the_project_of_a_call(
    prefix: str, headers: dict[str, str], credentials: Credentials
) -> None:
    stage = Recorder()
    async with called(stage) as client:
        await client.get(at(prefix, RUN), headers=headers)
    assert stage.entered == [credentials]


@pytest.mark.parametrize("path", ["/openai/nothing", "/openai/deployments/gpt-4o", "/api/projects/p/nothing"])
async def test_an_unknown_path_is_refused_as_it_was_written(path: str) -> None:
    async with called(Stage()) as client:
        response = await client.get(at("", path))
    assert (response.status_code, response.json()["error"]["message"]) == (404, f"Invalid URL (GET {path})")


async def test_a_model_is_named_with_slashes_under_every_prefix() -> None:
    async def get_model(model: str) -> Model:
        return Model(id=model)

    async with called(Stage(get_model=get_model)) as client:
        for prefix in PREFIXES:
            assert (await client.get(at(prefix, "/models/org/v1/openai"))).json()["id"] == "org/v1/openai"


async def test_the_deployment_of_a_path_is_not_the_model_of_a_run(tmp_path: Path) -> None:
    async with engine(tmp_path, ["Hi!"]) as application, called(application) as client:
        prefix = "/openai/deployments/another-model"
        assistant = (await client.post("/assistants", json={"model": "gpt-4o"})).json()
        thread = {"messages": [{"role": "user", "content": "Hi"}]}
        body = {"assistant_id": assistant["id"], "thread": thread}
        run = (await client.post(at(prefix, "/threads/runs"), json=body)).json()
    assert run["model"] == "gpt-4o"
