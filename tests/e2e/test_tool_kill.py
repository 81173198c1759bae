"""A worker is killed during tool calls: ended calls stay, retryable ones run again, others end as interrupted."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runstead.blobs.local import LocalBlobs
from runstead.broker.inprocess import InProcessBroker
from runstead.engine.adapters import Adapters, SystemClock
from runstead.engine.check import examine
from runstead.llm.scripted import ScriptedModel
from runstead.worker.application import run
from tests.e2e.tool_worker import store_at
from tests.support.callers import entered
from tests.support.postgres import place, server
from tests.support.reader import Reader
from tests.support.tools import Execute, Search
from tests.support.waiting import until, within
from tests.support.worlds import World, text_of

ROOT = Path(__file__).parents[2]


async def killed(*arguments: str) -> list[list[str]]:
    """The output of the program until two of its calls had ended, two hung, and it was killed."""
    said: list[list[str]] = []
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.e2e.tool_worker", *arguments), stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        async with within():
            while sum(line[0] == "begins" for line in said) < 4 or ["waits"] not in said:
                line = await process.stdout.readline()
                assert line, f"it ended by itself; it said {said}"
                said.append(line.decode().split())
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    return said


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_ended_and_at_most_once_calls_do_not_run_again(kind: str, tmp_path: Path) -> None:
    at = (str(tmp_path / "runs.db"), "") if kind == "sqlite" else (server().url, place(tmp_path))
    said = await killed(*at)
    [(thread_id, run_id)] = [(line[1], line[2]) for line in said if line[0] == "run"]
    before = [line[1] for line in said if line[0] == "begins"]
    assert len(before) == 4

    model, search, execute = ScriptedModel(["Found."]), Search(), Execute()
    adapters = Adapters(
        store=store_at(*at),
        broker=InProcessBroker(),
        blobs=LocalBlobs(None),
        model=model,
        clock=SystemClock(),
        tools=[search, execute],
    )
    async with run(adapters, lease=2.0) as application:
        here = World(application, await entered(application), adapters, model)

        async def is_over() -> bool:
            return (await here.project.get_run(thread_id, run_id)).status.terminal

        await until(is_over)
        done = await here.project.get_run(thread_id, run_id)
        assert done.status == "completed"
        assert execute.began == [], "a call with effects runs once"
        assert len(search.began) == 1
        assert search.began[0].endswith("/2")
        told = [each["content"] for each in model.requests[0].messages if each["role"] == "tool"]
        assert told[:3] == ['search: {"q":"one"}', 'execute: {"code":"two"}', 'search: {"q":"hangs"}']
        assert told[3].startswith("The server stopped while this call was running")
        assert text_of((await here.written(done))[-1]) == "Found."
        Reader().read(await here.events(done))
        wrong: list[str] = []
        await examine(adapters.store, lambda violation: wrong.append(str(violation)))
        assert wrong == []
