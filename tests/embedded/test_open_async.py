"""`open_async`: the engine on the event loop of the caller."""

from pathlib import Path

import pytest

import runstead
from runstead import (
    AssistantRequest,
    Closed,
    MessageRequest,
    Run,
    RunRequest,
    RunsteadError,
    Status,
    ThreadRequest,
    WaitTimeout,
)
from runstead.client import AsyncClient
from runstead.llm.scripted import Gate, ScriptedModel
from tests.support.waiting import PATIENCE, within


async def begin(client: AsyncClient) -> Run:
    assistant = await client.create_assistant(AssistantRequest(model="any"))
    thread = await client.create_thread(ThreadRequest(messages=[MessageRequest(role="user", content="Hi")]))
    return await client.create_run(thread.id, RunRequest(assistant_id=assistant.id))


@pytest.mark.parametrize("error", [ValueError("mine"), KeyError("mine"), Closed("mine")])
async def test_an_exception_of_the_block_is_raised_unchanged(database: Path, error: BaseException) -> None:
    with pytest.raises(type(error)) as raised:  # noqa: PT012 (the block is what is left)
        async with runstead.open_async(database, model=ScriptedModel([])) as client:
            await client.create_thread()
            raise error
    assert raised.value is error


async def test_cancellation_passes_through(database: Path) -> None:
    with pytest.raises(TimeoutError):
        async with within(0.1), runstead.open_async(database, model=ScriptedModel([["Once", Gate()]])) as client:
            await client.wait(await begin(client), timeout=PATIENCE)
    async with runstead.open_async(database, model=ScriptedModel([])) as client:
        await client.create_thread()


async def test_a_file_in_use_is_refused_at_once(database: Path) -> None:
    async with runstead.open_async(database, model=ScriptedModel([])):
        with pytest.raises(RunsteadError, match="is in use by process"):
            async with runstead.open_async(database, model=ScriptedModel([])):
                pass


async def test_a_closed_client_refuses_calls(database: Path) -> None:
    async with runstead.open_async(database, model=ScriptedModel([])) as client:
        pass
    with pytest.raises(Closed):
        await client.create_thread()


async def test_leaving_a_stream_early_does_not_stop_the_run(database: Path) -> None:
    gate = Gate()
    async with runstead.open_async(database, model=ScriptedModel([["Once", gate, " upon a time."]])) as client:
        run = await begin(client)
        async with client.run_events(run.thread_id, run.id) as stream:
            await anext(stream)
        gate.open()
        assert (await client.wait(run, timeout=PATIENCE)).status is Status.COMPLETED


async def test_a_wait_that_times_out_does_not_stop_the_run(database: Path) -> None:
    gate = Gate()
    async with runstead.open_async(database, model=ScriptedModel([["Once", gate]])) as client:
        run = await begin(client)
        with pytest.raises(WaitTimeout):
            await client.wait(run, timeout=0.05)
        gate.open()
        assert (await client.wait(run, timeout=PATIENCE)).status is Status.COMPLETED
