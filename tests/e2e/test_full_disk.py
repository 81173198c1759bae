"""A real server whose disk is full: it reports that, stops on request, and loses no answer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

import runstead
from runstead import Run, RunRequest, Status
from runstead.client import AsyncClient
from runstead.wire.assistant import AssistantRequest
from runstead.wire.message import MessageRequest
from runstead.wire.thread import ThreadRequest
from tests.llm.fake_upstream import Exchange, FakeUpstream, chunk, fake_upstream, sse
from tests.support.program import Program
from tests.support.waiting import until, within
from tests.support.worlds import text_of

BETA = {"OpenAI-Beta": "assistants=v2"}


class HalfAnswer:
    """A model that streams half of its answer, and the rest when the test allows it."""

    def __init__(self) -> None:
        self.half_said = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.piece(sse(chunk({"role": "assistant", "content": "Half"})))
        self.half_said.set()
        await self.go.wait()
        await exchange.piece(sse(chunk({"content": " and half"}), chunk({}, "stop")) + b"data: [DONE]\n\n")
        await exchange.end()


class Site:
    """A server, its model, and a client."""

    def __init__(self, program: Program, model: FakeUpstream, client: AsyncClient, http: httpx2.AsyncClient) -> None:
        self.program = program
        self.model = model
        self.client = client
        self.http = http

    async def begin(self) -> Run:
        """A new run on a new thread."""
        assistant = await self.client.create_assistant(AssistantRequest(model="any"))
        said = MessageRequest(role="user", content="Hi")
        thread = await self.client.create_thread(ThreadRequest(messages=[said]))
        return await self.client.create_run(thread.id, RunRequest(assistant_id=assistant.id))

    async def is_ready(self) -> bool:
        return (await self.http.get("/ready")).status_code == 200


@pytest.fixture
def programs() -> Iterator[list[Program]]:
    started: list[Program] = []
    yield started
    for program in started:
        print(program.log)
        program.close()


@asynccontextmanager
async def serving(folder: Path, model: FakeUpstream, programs: list[Program]) -> AsyncIterator[Site]:
    program = Program("serve", "--port", "0", data=str(folder / "data"), model_url=model.url, model_key="none")
    programs.append(program)
    await asyncio.to_thread(program.ready)
    async with (
        runstead.connect_async(program.url, max_retries=0) as client,
        httpx2.AsyncClient(base_url=program.url, headers=BETA, timeout=20) as http,
    ):
        yield Site(program, model, client, http)


async def test_an_answer_outlasts_a_full_disk(tmp_path: Path, programs: list[Program]) -> None:
    answer = HalfAnswer()
    async with within(40), fake_upstream(answer) as model, serving(tmp_path, model, programs) as here:
        run = await here.begin()
        await answer.half_said.wait()
        assert await here.is_ready()
        here.program.fill_disk()
        answer.go.set()

        refused = await here.http.post("/v1/threads", json={})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["error"]["type"] == "server_error"
        assert (await here.http.get(f"/v1/threads/{run.thread_id}")).status_code == 200, "it can be read"
        assert (await here.http.get("/health")).status_code == 200, "it lives"
        await until(lambda: _unready(here))
        assert (await here.http.get("/ready")).json() == {
            "status": "unavailable", "store": "unavailable", "broker": "ok",
        }  # fmt: skip

        here.program.free_disk()
        assert (await here.client.wait(run)).status is Status.COMPLETED
        await until(here.is_ready)
        assert [text_of(each) async for each in await here.client.messages(run.thread_id, run_id=run.id)] == [
            "Half and half"
        ]
        assert len(model.exchanges) == 1, "the model was asked once"
    log = here.program.log
    assert log.count("cannot write to the database, trying again") == 1
    assert log.count("the database can be written again") == 1
    assert "Traceback" not in log


async def _unready(here: Site) -> bool:
    return not await here.is_ready()


async def test_an_upload_to_a_full_disk_is_refused_and_leaves_nothing(tmp_path: Path, programs: list[Program]) -> None:
    async with within(40), fake_upstream(HalfAnswer()) as model, serving(tmp_path, model, programs) as here:
        first = await here.client.upload_file(b"abc")
        here.program.fill_disk()
        refused = await here.http.post(
            "/v1/files", data={"purpose": "assistants"}, files={"file": ("a.txt", bytes(3_000_000))}
        )
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert await (await here.client.file_content(first.id)).read() == b"abc"
        here.program.free_disk()
        assert [file.id async for file in await here.client.files()] == [first.id]
        assert len([path for path in tmp_path.glob("data/*.blobs/*/*") if path.is_file()]) == 1
        assert (await here.client.upload_file(bytes(3_000_000))).bytes == 3_000_000
    assert "Traceback" not in here.program.log


async def test_a_server_stops_while_its_disk_is_full(tmp_path: Path, programs: list[Program]) -> None:
    answer = HalfAnswer()
    async with within(60), fake_upstream(answer) as model:
        async with serving(tmp_path, model, programs) as here:
            run = await here.begin()
            await answer.half_said.wait()
            here.program.fill_disk()
            assert await asyncio.to_thread(here.program.stop) == 0
        answer.go.set()
        async with serving(tmp_path, model, programs) as again:
            assert (await again.client.wait(run)).status is Status.COMPLETED, "it was left to recovery"
