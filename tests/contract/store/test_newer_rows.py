"""Rows that a newer version wrote: an older one reads them, and writes back unknown fields, too."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from runstead.domain.run.change import Change
from runstead.domain.run.journal import Call, StepRow
from runstead.engine.resources.project import Project
from runstead.store.port import RunRow, Store, Tx, WebhookRow
from runstead.wire.assistant import AssistantUpdate
from runstead.wire.codec.response import read_event
from runstead.wire.content import ImageUrl, ImageUrlPart, Text, TextPart
from runstead.wire.run import LastError, Run, Status
from runstead.wire.run_step import FunctionCallResult, FunctionToolCall, ToolCall, ToolCallsDetails
from runstead.wire.thread import ThreadUpdate
from runstead.wire.tool import FileSearchResources, FileSearchTool, Function, FunctionTool, Tool, ToolResources
from runstead.wire.webhook import Webhook
from tests.store.things import (
    MINE,
    add_runs,
    asked,
    assistant,
    becomes,
    event,
    message,
    newest_messages,
    run,
    step,
    thread,
)
from tests.support.worlds import adapters_of

NEW = "from_a_newer_version"
VALUES: list[Any] = [None, True, 7, 1.5, "text", [1, [None, {"a": []}]], {"deep": {"er": [{}]}}]
FREE = {"metadata", "parameters"}
"""Objects whose fields are their own: none of them is unknown."""
RESOURCES = ToolResources(file_search=FileSearchResources(vector_store_ids=[]))
TOOLS: list[Tool] = [FunctionTool(function=Function(name="weather", parameters={"type": "object"})), FileSearchTool()]


def newer(value: Any, new: Any) -> Any:
    """The same JSON with a new field in every object."""
    if isinstance(value, list):
        return [newer(item, new) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: inner if name in FREE else newer(inner, new) for name, inner in value.items()} | {NEW: new}


def newer_of(item: object, new: Any) -> Any:
    return newer(msgspec.json.decode(msgspec.json.encode(item)), new)


async def stored(tx: Tx, table: str, id: str, column: str = "body") -> Any:
    row = await tx.threads._session.row(f"SELECT {column} FROM {table} WHERE id = :id", id=id)  # type: ignore[attr-defined]
    return msgspec.json.decode(row[0])


async def make_newer(store: Store, table: str, id: str, new: Any, column: str = "body") -> None:
    async def work(tx: Tx) -> None:
        body = msgspec.json.encode(newer(await stored(tx, table, id, column), new))
        update = f"UPDATE {table} SET {column} = :body WHERE id = :id"
        await tx.threads._session.execute(update, id=id, body=body)  # type: ignore[attr-defined]

    await store.write(work)


@pytest.fixture(params=VALUES, ids=repr)
def new(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def project(store: Store) -> Project:
    return Project(adapters_of(store=store), MINE)


async def test_an_assistant_keeps_unknown_fields(store: Store, project: Project, new: Any) -> None:
    kept = assistant(tools=TOOLS, tool_resources=RESOURCES, metadata={"a": "b"})
    await store.write(lambda tx: tx.assistants.insert(MINE, kept))
    await make_newer(store, "assistants", "asst_1", new)
    assert await store.read(lambda tx: tx.assistants.get(MINE, "asst_1")) == kept
    page = await store.read(lambda tx: tx.assistants.page(MINE, asked()))
    assert page is not None
    assert page.data == [kept.assistant]
    after = await project.update_assistant("asst_1", AssistantUpdate(name="renamed", metadata={}))
    assert await store.read(lambda tx: stored(tx, "assistants", "asst_1")) == newer_of(after, new)


async def test_tools_that_were_replaced_take_nothing_over(store: Store, project: Project) -> None:
    await store.write(lambda tx: tx.assistants.insert(MINE, assistant(tools=TOOLS)))
    await make_newer(store, "assistants", "asst_1", 1)
    request = AssistantUpdate(tools=[TOOLS[1], FunctionTool(function=Function(name="time"))])
    await project.update_assistant("asst_1", request)
    [search, function] = (await store.read(lambda tx: stored(tx, "assistants", "asst_1")))["tools"]
    assert search == newer_of(TOOLS[1], 1)
    assert NEW not in function


async def test_a_thread_keeps_unknown_fields(store: Store, project: Project, new: Any) -> None:
    await store.write(lambda tx: tx.threads.insert(MINE, thread()))
    await make_newer(store, "threads", "thread_1", new)
    after = await project.update_thread("thread_1", ThreadUpdate(metadata={"a": "b"}))
    assert await store.read(lambda tx: stored(tx, "threads", "thread_1")) == newer_of(after, new)


CONTENT = [
    TextPart(text=Text(value="Look.")),
    ImageUrlPart(image_url=ImageUrl(url="https://example.com/a.png")),
]


async def test_a_message_keeps_unknown_fields(store: Store, project: Project, new: Any) -> None:
    await store.write(lambda tx: tx.threads.insert(MINE, thread()))
    await store.write(lambda tx: tx.messages.insert(MINE, [message(content=CONTENT)]))
    await make_newer(store, "messages", "msg_1", new)
    newest = await store.read(lambda tx: newest_messages(tx, MINE, "thread_1", 1))
    assert newest == [message(content=CONTENT)]
    after = await project.update_message("thread_1", "msg_1", {"a": "b"})
    assert await store.read(lambda tx: stored(tx, "messages", "msg_1")) == newer_of(after, new)


async def test_a_queued_message_keeps_unknown_fields(store: Store, new: Any) -> None:
    [row] = await add_runs(store, run())
    await store.write(lambda tx: tx.messages.insert(MINE, [message(content=CONTENT)], "run_1"))
    await make_newer(store, "messages", "msg_1", new)
    await store.write(lambda tx: tx.runs.apply(row, Change(run=becomes(row.run, Status.COMPLETED)), 1000))
    assert [each.id for each in await store.read(lambda tx: newest_messages(tx, MINE, "thread_1", 1))] == ["msg_1"]
    assert await store.read(lambda tx: stored(tx, "messages", "msg_1")) == newer_of(message(content=CONTENT), new)


async def row_of(store: Store) -> RunRow:
    row = await store.read(lambda tx: tx.runs.load("run_1"))
    assert row is not None
    return row


async def stored_run(tx: Tx) -> Any:
    return {**await stored(tx, "runs", "run_1", "settings"), **await stored(tx, "runs", "run_1")}


async def store_whole(tx: Tx) -> None:
    """The run is stored as versions stored it that had no settings."""
    body = msgspec.json.encode(await stored_run(tx))
    statement = "UPDATE runs SET body = :body, settings = NULL WHERE id = 'run_1'"
    await tx.threads._session.execute(statement, body=body)  # type: ignore[attr-defined]


@pytest.mark.parametrize("whole", [False, True])
async def test_a_run_keeps_unknown_fields_through_all_its_changes(store: Store, new: Any, whole: bool) -> None:
    kept = run(tools=TOOLS, last_error=LastError(code="server_error", message="Once."))
    await add_runs(store, kept)
    for column in ("body", "settings"):
        await make_newer(store, "runs", "run_1", new, column)
    if whole:
        await store.write(store_whole)
    row = await row_of(store)
    assert row.run == kept
    for status in (Status.IN_PROGRESS, Status.CANCELLING, Status.CANCELLED):
        change = Change(run=replace(row.run, status=status, metadata={"is": status.value}))
        row = (await store.write(lambda tx, row=row, change=change: tx.runs.apply(row, change, 1000))).row  # type: ignore[misc]
        assert await store.read(stored_run) == newer_of(row.run, new)
        page = await store.read(lambda tx: tx.runs.page(MINE, "thread_1", asked()))
        assert page is not None
        assert page.data == [row.run]
    assert row == await row_of(store)


async def test_unknown_fields_of_a_removed_part_of_a_run_are_removed(store: Store) -> None:
    await add_runs(store, run(last_error=LastError(code="server_error", message="Once.")))
    await make_newer(store, "runs", "run_1", 1)
    row = await row_of(store)
    await store.write(lambda tx: tx.runs.apply(row, Change(run=replace(row.run, last_error=None)), 1000))
    body = await store.read(lambda tx: stored(tx, "runs", "run_1"))
    assert (body["last_error"], body[NEW]) == (None, 1)


def called(output: str | None) -> StepRow:
    """A step of two calls; one of them has this output."""
    shown: list[ToolCall] = [
        FunctionToolCall(id=f"call_{number}", function=FunctionCallResult(name="weather", arguments="{}", output=given))
        for number, given in enumerate((output, "Rain."))
    ]
    details = ToolCallsDetails(tool_calls=shown)
    calls = [Call(id="call_0", name="weather", arguments="{}", tool="search", output=output, status="asked")]
    return StepRow(step=replace(step(), type="tool_calls", step_details=details), calls=calls)


async def test_a_step_and_its_journal_keep_unknown_fields(store: Store, new: Any) -> None:
    [row] = await add_runs(store, run(status=Status.IN_PROGRESS))
    row = (await store.write(lambda tx: tx.runs.apply(row, Change(run=row.run, new_steps=[called(None)]), 1000))).row
    for column in ("body", "journal"):
        await make_newer(store, "steps", "step_1", new, column)
    assert await store.read(lambda tx: tx.steps.of_run("run_1")) == [called(None)]
    assert await store.read(lambda tx: tx.steps.get(MINE, "run_1", "step_1")) == called(None).step
    after = called("Sun.")
    await store.write(lambda tx: tx.runs.apply(row, Change(run=row.run, steps=[after]), 1000))
    assert await store.read(lambda tx: stored(tx, "steps", "step_1")) == newer_of(after.step, new)
    journal = await store.read(lambda tx: stored(tx, "steps", "step_1", "journal"))
    assert (journal[NEW], journal["calls"][0][NEW], journal["calls"][0]["output"]) == (new, new, "Sun.")


async def test_a_webhook_keeps_unknown_fields(store: Store, new: Any) -> None:
    hook = Webhook(id="webhook_1", created_at=1, updated_at=1, url="https://example.com", event_types=[])
    await store.write(lambda tx: tx.webhooks.insert(MINE, hook))
    await make_newer(store, "webhooks", "webhook_1", new)
    after = replace(hook, name="renamed")

    async def work(tx: Tx) -> None:
        assert await tx.webhooks.get(MINE, "webhook_1") == WebhookRow(webhook=hook)
        await tx.webhooks.replace(MINE, WebhookRow(webhook=after))

    await store.write(work)
    assert await store.read(lambda tx: stored(tx, "webhooks", "webhook_1")) == newer_of(after, new)


TABLES = (
    "assistants",
    "threads",
    "messages",
    "runs",
    "steps",
    "events",
    "answers",
    "webhooks",
    "deliveries",
    "projects",
)


async def test_columns_of_a_newer_version_are_kept(store: Store) -> None:
    async def add(tx: Tx) -> None:
        for table in TABLES:
            await tx.threads._session.execute(f"ALTER TABLE {table} ADD COLUMN newer TEXT DEFAULT 'kept'")  # type: ignore[attr-defined]

    await store.write(add)
    project = Project(adapters_of(store=store), MINE)
    await store.write(lambda tx: tx.threads.insert(MINE, thread()))
    [row] = await add_runs(store, run())
    await store.write(lambda tx: tx.messages.insert(MINE, [message()], "run_1"))
    await project.update_run("thread_1", "run_1", {"a": "b"})
    row = await row_of(store)
    await store.write(lambda tx: tx.runs.apply(row, Change(run=becomes(row.run, Status.COMPLETED)), 1000))
    await project.update_message("thread_1", "msg_1", {"a": "b"})

    async def columns(tx: Tx) -> list[Any]:
        session: Any = tx.threads._session  # type: ignore[attr-defined]
        return [(await session.row(f"SELECT newer FROM {table}"))[0] for table in ("threads", "runs", "messages")]

    assert await store.read(columns) == ["kept"] * 3
    assert isinstance((await row_of(store)).run, Run)


async def test_an_event_of_a_newer_version_is_passed_on_in_its_place(store: Store) -> None:
    names = ["thread.run.created", "thread.run.paused", "thread.run.queued"]
    [row] = await add_runs(store, run())
    body = msgspec.json.encode([[name, {"id": "run_1", NEW: {}}] for name in names])

    async def write(tx: Tx) -> None:
        await tx.runs.apply(row, Change(run=row.run, events=[event()] * 3), 1000)
        await tx.threads._session.execute("UPDATE events SET body = :body", body=body)  # type: ignore[attr-defined]

    await store.write(write)
    events = await store.read(lambda tx: tx.events.after("run_1", 0, 10))
    assert [(each.at.seq, each.name.value, each.name.pausing) for each in events] == [
        (number, name, False) for number, name in enumerate(names, 1)
    ]
    assert [f"{each.name}" for each in events] == names
    assert all(msgspec.json.decode(each.data)[NEW] == {} for each in events)


async def test_the_events_of_newer_runs_are_read(new: Any) -> None:
    data = msgspec.json.encode(newer_of(run(tools=TOOLS), new))
    assert read_event(event(data=data)).data == run(tools=TOOLS)
