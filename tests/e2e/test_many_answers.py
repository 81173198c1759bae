"""A server stays alive while its model server answers thousands of runs in the same moment.

Its processor time in one turn of the loop is limited here, not in one callback: the bytes of all connections that are
readable are received in one turn. Each of these callbacks takes 30 µs.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest

from tests.llm.fake_upstream import Exchange, fake_upstream, text
from tests.support import postgres
from tests.support.waiting import until
from tests.support.watched_server import watched_server

RUNS = 600
CLIENTS = 20
BOUND = 0.065
"""Seconds of processor time: less than these runs take if all of them go on in one turn."""
HEADERS = {"OpenAI-Beta": "assistants=v2"}
UNLIMITED = {"project_runs": 0, "project_queue": 0, "model_key": "none"}


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, object]:
    if request.param == "sqlite":
        return {"data": str(tmp_path / "data")}
    return {"database": postgres.server().url, "installation": postgres.place(tmp_path)}


async def on_all(client: httpx2.AsyncClient, work: Callable[[httpx2.AsyncClient], Awaitable[None]]) -> None:
    """Do something for each run, for a few of them at once."""

    async def some() -> None:
        for _ in range(RUNS // CLIENTS):
            await work(client)

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(some())


async def test_thousands_of_answers_in_the_same_moment(settings: dict[str, object]) -> None:
    opened, paths = asyncio.Event(), list[str]()

    async def answer(exchange: Exchange) -> None:
        await opened.wait()
        await text("Hello", " there", ".")(exchange)

    async def create(client: httpx2.AsyncClient) -> None:
        run = (await client.post("/v1/threads/runs", json=body)).raise_for_status().json()
        paths.append(f"/v1/threads/{run['thread_id']}/runs/{run['id']}")

    async def complete(client: httpx2.AsyncClient) -> None:
        path = f"{paths.pop(0)}/events"
        events = (await client.get(path)).raise_for_status().text
        assert "event: thread.run.completed\n" in events

    async with fake_upstream(answer) as upstream:
        with watched_server(port=0, log_level="error", model_url=upstream.url, **UNLIMITED, **settings) as server:
            async with httpx2.AsyncClient(base_url=server.url, headers=HEADERS, timeout=30) as client:
                assistant = (await client.post("/v1/assistants", json={"model": "m"})).raise_for_status().json()
                thread = {"messages": [{"role": "user", "content": "Hello"}]}
                body = {"assistant_id": assistant["id"], "thread": thread}
                await on_all(client, create)
                await until(lambda: len(upstream.exchanges) == RUNS)
                server.longest_hold()
                opened.set()
                await on_all(client, complete)
                assert server.longest_hold() < BOUND
