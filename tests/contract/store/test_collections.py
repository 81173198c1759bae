"""Every collection: get, insert, replace, delete, each for one project only."""

from typing import Any

import pytest
from msgspec.structs import replace

from runstead.domain.run.journal import Call, StepRow, from_wire
from runstead.store.port import Store, Tx
from runstead.wire.message import Message
from runstead.wire.run_step import (
    FileSearch,
    FileSearchCall,
    FunctionCallResult,
    FunctionToolCall,
    RunStep,
    ToolCallsDetails,
)
from tests.store.things import (
    MINE,
    THEIRS,
    add_runs,
    asked,
    assistant,
    created,
    event,
    message,
    newest_messages,
    remove_deleted,
    run,
    step,
    step_row,
    thread,
)


async def test_an_assistant_comes_back_as_it_was_put_in(store: Store) -> None:
    kept = assistant(name="Ada", metadata={"a": "b"}, temperature=0.5, instructions="Übe.")
    await store.write(lambda tx: tx.assistants.insert(MINE, kept))
    assert await store.read(lambda tx: tx.assistants.get(MINE, kept.id)) == kept


async def test_a_thread_comes_back_as_it_was_put_in(store: Store) -> None:
    kept = thread(metadata={"a": "b"})
    await store.write(lambda tx: tx.threads.insert(MINE, kept))
    assert await store.read(lambda tx: tx.threads.get(MINE, kept.id)) == kept


async def test_a_message_comes_back_as_it_was_put_in(store: Store) -> None:
    kept = message(run_id="run_1", role="assistant", status="in_progress")
    await store.write(lambda tx: tx.messages.insert(MINE, [kept]))
    assert await store.read(lambda tx: tx.messages.get(MINE, "thread_1", kept.id)) == kept


CALL = Call(id="call_a", name="weather", arguments="{}")
SEARCH = Call(id="call_b", name="search", arguments='{"query":"x"}', tool="file_search")


def calls_step() -> RunStep:
    """A step as it shows these calls."""
    function = FunctionToolCall(id="call_a", function=FunctionCallResult(name="weather", arguments="{}"))
    search = FileSearchCall(id="call_b", file_search=FileSearch(ranking_options={}))
    return replace(step(), type="tool_calls", step_details=ToolCallsDetails(tool_calls=[function, search]))


async def test_a_step_comes_back_as_it_was_put_in(store: Store) -> None:
    kept = step(expires_at=700)
    await store.write(lambda tx: tx.steps.insert(MINE, from_wire(kept)))
    assert await store.read(lambda tx: tx.steps.get(MINE, "run_1", kept.id)) == kept


@pytest.mark.parametrize("carried", [None, {"reasoning": "Hm.", "signature": "AbC=="}, [1, [2]], "x", 0, False])
async def test_a_step_keeps_its_journal(store: Store, carried: Any) -> None:
    asked = StepRow(step=calls_step(), calls=[CALL, SEARCH], carried=carried)
    ended = asked.with_calls([replace(SEARCH, output="Found \N{SNOWMAN}.", status="completed", attempts=2)])
    await store.write(lambda tx: tx.steps.insert(MINE, asked))
    assert await store.read(lambda tx: tx.steps.of_run("run_1")) == [asked]
    assert await store.write(lambda tx: tx.steps.replace(MINE, ended))
    assert await store.read(lambda tx: tx.steps.of_run("run_1")) == [ended]
    assert await store.read(lambda tx: tx.steps.get(MINE, "run_1", "step_1")) == asked.step, "the world sees the step"
    await store.write(lambda tx: created(tx, MINE, run(), ()))
    [record] = (await store.read(lambda tx: tx.ledger.page("", 10))).records
    assert record.steps == [ended]


async def test_a_replaced_object_is_read_as_it_was_replaced(store: Store) -> None:
    async def work(tx: Tx) -> list[bool]:
        await tx.assistants.insert(MINE, assistant())
        await tx.threads.insert(MINE, thread())
        await tx.messages.insert(MINE, [message()])
        await tx.steps.insert(MINE, step_row())
        return [
            await tx.assistants.replace(MINE, assistant(name="Ada")),
            await tx.threads.replace(MINE, thread(metadata={"a": "b"})),
            await tx.messages.replace(MINE, message(metadata={"a": "b"})),
            await tx.steps.replace(MINE, step_row(status="completed")),
        ]

    assert await store.write(work) == [True, True, True, True]
    assert await store.read(lambda tx: tx.assistants.get(MINE, "asst_1")) == assistant(name="Ada")
    assert await store.read(lambda tx: tx.threads.get(MINE, "thread_1")) == thread(metadata={"a": "b"})
    assert await store.read(lambda tx: tx.messages.get(MINE, "thread_1", "msg_1")) == message(metadata={"a": "b"})
    assert await store.read(lambda tx: tx.steps.get(MINE, "run_1", "step_1")) == step(status="completed")


async def test_a_missing_object_is_not_found_not_replaced_not_deleted(store: Store) -> None:
    async def work(tx: Tx) -> list[object]:
        return [
            await tx.assistants.get(MINE, "asst_1"),
            await tx.threads.get(MINE, "thread_1"),
            await tx.messages.get(MINE, "thread_1", "msg_1"),
            await tx.steps.get(MINE, "run_1", "step_1"),
            await tx.runs.get(MINE, "thread_1", "run_1"),
            await tx.runs.load("run_1"),
            await tx.runs.active(MINE, "thread_1"),
            await tx.assistants.replace(MINE, assistant()),
            await tx.threads.replace(MINE, thread()),
            await tx.messages.replace(MINE, message()),
            await tx.steps.replace(MINE, step_row()),
            await tx.assistants.delete(MINE, "asst_1"),
            await tx.threads.delete(MINE, "thread_1", 100),
            await tx.messages.delete(MINE, "thread_1", "msg_1"),
        ]

    assert await store.write(work) == [None] * 7 + [False] * 7


async def test_a_deleted_object_is_gone_and_its_neighbours_stay(store: Store) -> None:
    async def work(tx: Tx) -> list[bool]:
        for number in "12":
            await tx.assistants.insert(MINE, assistant(f"asst_{number}"))
            await tx.threads.insert(MINE, thread(f"thread_{number}"))
            await tx.messages.insert(MINE, [message(f"msg_{number}", thread_id="thread_2")])
        return [
            await tx.assistants.delete(MINE, "asst_1"),
            await tx.threads.delete(MINE, "thread_1", 100),
            await tx.messages.delete(MINE, "thread_2", "msg_1"),
        ]

    assert await store.write(work) == [True, True, True]
    assert await store.read(lambda tx: tx.assistants.get(MINE, "asst_1")) is None
    assert await store.read(lambda tx: tx.threads.get(MINE, "thread_1")) is None
    assert await store.read(lambda tx: tx.messages.get(MINE, "thread_2", "msg_1")) is None
    assert await store.read(lambda tx: tx.assistants.get(MINE, "asst_2"))
    assert await store.read(lambda tx: tx.threads.get(MINE, "thread_2"))
    assert await store.read(lambda tx: tx.messages.get(MINE, "thread_2", "msg_2"))


async def test_a_thread_takes_its_messages_runs_steps_and_events_along(store: Store) -> None:
    async def fill(tx: Tx) -> None:
        for number in "12":
            await tx.threads.insert(MINE, thread(f"thread_{number}"))
            await tx.messages.insert(MINE, [message(f"msg_{number}", thread_id=f"thread_{number}")])
            await created(tx, MINE, run(f"run_{number}", thread_id=f"thread_{number}"), [event()])
            await tx.steps.insert(MINE, step_row(f"step_{number}", run_id=f"run_{number}"))

    async def left(tx: Tx, number: str) -> list[bool]:
        return [
            bool(found)
            for found in (
                await newest_messages(tx, MINE, f"thread_{number}", 10),
                await tx.runs.load(f"run_{number}"),
                await tx.steps.of_run(f"run_{number}"),
                await tx.events.after(f"run_{number}", 0, 10),
            )
        ]

    await store.write(fill)
    assert await store.write(lambda tx: tx.threads.delete(MINE, "thread_1", 100))
    assert await store.read(lambda tx: tx.runs.load("run_1")) is None, "it is out of sight at once"
    await remove_deleted(store)
    assert await store.read(lambda tx: left(tx, "1")) == [False] * 4
    assert await store.read(lambda tx: left(tx, "2")) == [True] * 4


async def test_a_project_sees_and_touches_only_its_own(store: Store) -> None:
    async def fill(tx: Tx) -> None:
        await tx.assistants.insert(MINE, assistant())
        await tx.threads.insert(MINE, thread())
        await tx.messages.insert(MINE, [message()])
        await tx.steps.insert(MINE, step_row())
        await created(tx, MINE, run(), ())

    async def look(tx: Tx) -> list[object]:
        return [
            await tx.assistants.get(THEIRS, "asst_1"),
            await tx.threads.get(THEIRS, "thread_1"),
            await tx.messages.get(THEIRS, "thread_1", "msg_1"),
            await tx.steps.get(THEIRS, "run_1", "step_1"),
            await tx.runs.get(THEIRS, "thread_1", "run_1"),
            await tx.runs.active(THEIRS, "thread_1"),
            await tx.assistants.page(THEIRS, asked(after="asst_1")),
            await tx.threads.page(THEIRS, asked(after="thread_1")),
            await tx.messages.page(THEIRS, "thread_1", asked(after="msg_1")),
            await tx.steps.page(THEIRS, "run_1", asked(after="step_1")),
            await tx.runs.page(THEIRS, "thread_1", asked(after="run_1")),
        ]

    async def lists(tx: Tx) -> list[object]:
        pages = [
            await tx.assistants.page(THEIRS, asked()),
            await tx.threads.page(THEIRS, asked()),
            await tx.messages.page(THEIRS, "thread_1", asked()),
            await tx.messages.page(THEIRS, "thread_1", asked(), "run_1"),
            await tx.steps.page(THEIRS, "run_1", asked()),
            await tx.runs.page(THEIRS, "thread_1", asked()),
        ]
        return [*(page.data for page in pages if page is not None), await newest_messages(tx, THEIRS, "thread_1", 5)]

    async def touch(tx: Tx) -> list[bool]:
        return [
            await tx.assistants.replace(THEIRS, assistant(name="stolen")),
            await tx.threads.replace(THEIRS, thread(metadata={"stolen": "yes"})),
            await tx.messages.replace(THEIRS, message(metadata={"stolen": "yes"})),
            await tx.steps.replace(THEIRS, step_row(status="failed")),
            await tx.assistants.delete(THEIRS, "asst_1"),
            await tx.messages.delete(THEIRS, "thread_1", "msg_1"),
            await tx.threads.delete(THEIRS, "thread_1", 100),
        ]

    async def everything(tx: Tx) -> list[object]:
        return [
            await tx.assistants.get(MINE, "asst_1"),
            await tx.threads.get(MINE, "thread_1"),
            await tx.messages.get(MINE, "thread_1", "msg_1"),
            await tx.steps.get(MINE, "run_1", "step_1"),
            await tx.runs.get(MINE, "thread_1", "run_1"),
        ]

    await store.write(fill)
    before = await store.read(everything)
    assert all(before)
    assert await store.read(look) == [None] * 11
    assert await store.read(lists) == [[]] * 7
    assert await store.write(touch) == [False] * 7
    assert await store.read(everything) == before


async def test_an_object_belongs_to_one_thread_or_run(store: Store) -> None:
    async def work(tx: Tx) -> list[object]:
        await tx.messages.insert(MINE, [message()])
        await tx.steps.insert(MINE, step_row())
        return [
            await tx.messages.get(MINE, "thread_2", "msg_1"),
            await tx.messages.delete(MINE, "thread_2", "msg_1"),
            await tx.steps.get(MINE, "run_2", "step_1"),
            await tx.messages.page(MINE, "thread_2", asked(after="msg_1")),
        ]

    await add_runs(store, run())
    assert await store.read(lambda tx: tx.runs.get(MINE, "thread_2", "run_1")) is None
    assert await store.write(work) == [None, False, None, None]


async def test_the_newest_messages_come_newest_first(store: Store) -> None:
    messages = [message(f"msg_{number}", at=100 + number // 2) for number in range(6)]

    async def ids(limit: int, before: str | None = None) -> list[str]:
        found: list[Message] = await store.read(lambda tx: newest_messages(tx, MINE, "thread_1", limit, before))
        return [each.id for each in found]

    await store.write(lambda tx: tx.messages.insert(MINE, messages))
    assert await ids(3) == ["msg_5", "msg_4", "msg_3"]
    assert await ids(3, before="msg_3") == ["msg_2", "msg_1", "msg_0"]
    assert await ids(10) == [f"msg_{number}" for number in reversed(range(6))]
    assert await ids(3, before="msg_0") == []
    assert await ids(3, before="msg_unknown") == []


async def test_the_steps_of_a_run_come_oldest_first(store: Store) -> None:
    async def work(tx: Tx) -> None:
        for number in range(3):
            await tx.steps.insert(MINE, step_row(f"step_{number}"))
        await tx.steps.insert(MINE, step_row("step_other", run_id="run_2"))

    await store.write(work)
    found = await store.read(lambda tx: tx.steps.of_run("run_1"))
    assert [each.id for each in found] == ["step_0", "step_1", "step_2"]
