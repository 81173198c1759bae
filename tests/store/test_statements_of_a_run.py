"""The costs of a run: the statements from an empty thread to its answer. A new one has to be worth it."""

from pathlib import Path

from runstead.store.sqlite import SqliteStore
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, RunRequest
from tests.support.worlds import World, world

MOST = 29


async def whole_run(here: World, assistant_id: str) -> None:
    """A thread, a message, a streamed run, the run and its answer read."""
    project = here.project
    thread = await project.create_thread()
    await project.create_message(thread.id, MessageRequest(role="user", content="Hi"))
    request = RunRequest(assistant_id=assistant_id)
    [*_, end] = [event async for event in project.create_streaming_run(thread.id, request)]
    assert end.event == "thread.run.completed"
    assert isinstance(end.data, Run)
    assert (await project.get_run(thread.id, end.data.id)).status == "completed"
    assert len((await project.messages(thread.id)).data) == 2


async def test_a_run_takes_few_statements(path: Path) -> None:
    store = SqliteStore(path)
    async with world(lambda _: "Hello!", store=store) as here:
        assistant_id = await here.assistant()
        await whole_run(here, assistant_id)
        statements: list[str] = []
        assert store._writer is not None
        assert store._reader is not None
        for connection in (store._writer._connection, store._reader._connection):
            connection.set_trace_callback(statements.append)
        await whole_run(here, assistant_id)
        for connection in (store._writer._connection, store._reader._connection):
            connection.set_trace_callback(None)
    assert len(statements) <= MOST, "\n".join(statements)
