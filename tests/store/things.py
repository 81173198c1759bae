"""Objects to keep, made with as little as it takes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from runstead.domain.access import DEFAULT_PROJECT
from runstead.domain.run.change import Change
from runstead.domain.run.journal import StepRow, from_wire
from runstead.store.port import AssistantRow, RunRow, Store, Tx
from runstead.wire.assistant import Assistant
from runstead.wire.content import Text, TextPart
from runstead.wire.event import START, EventName, RawEvent
from runstead.wire.message import Message
from runstead.wire.page import ListQuery
from runstead.wire.run import Run, Status
from runstead.wire.run_step import MessageCreation, MessageCreationDetails, RunStep
from runstead.wire.struct import UNSET, SortOrder, UnsetType
from runstead.wire.thread import Thread

__all__ = [
    "MINE",
    "THEIRS",
    "add_runs",
    "asked",
    "assistant",
    "becomes",
    "changed",
    "created",
    "event",
    "find_thread",
    "keep_thread",
    "message",
    "newest_messages",
    "remove_deleted",
    "run",
    "step",
    "step_row",
    "thread",
]

MINE, THEIRS = DEFAULT_PROJECT, "another"


def assistant(id: str = "asst_1", at: int = 100, **fields: Any) -> AssistantRow:
    shown = Assistant(id=id, created_at=at, model="some-model", **fields)
    return AssistantRow(shown)


def thread(id: str = "thread_1", at: int = 100, **fields: Any) -> Thread:
    return Thread(id=id, created_at=at, **fields)


def message(id: str = "msg_1", at: int = 100, thread_id: str = "thread_1", **fields: Any) -> Message:
    known: dict[str, Any] = {"role": "user", "content": [TextPart(text=Text(value=f"This is {id}."))]}
    return Message(id=id, created_at=at, thread_id=thread_id, **known | fields)


def run(id: str = "run_1", at: int = 100, thread_id: str = "thread_1", **fields: Any) -> Run:
    known: dict[str, Any] = {"assistant_id": "asst_1", "status": Status.QUEUED, "model": "m", "expires_at": at + 600}
    return Run(id=id, created_at=at, thread_id=thread_id, **known | fields)


def becomes(run: Run, status: Status, **fields: object) -> Run:
    """The run in another status."""
    return msgspec.structs.replace(run, status=status, **fields)


def step(id: str = "step_1", at: int = 100, run_id: str = "run_1", **fields: Any) -> RunStep:
    return RunStep(
        id=id,
        created_at=at,
        run_id=run_id,
        assistant_id="asst_1",
        thread_id="thread_1",
        type="message_creation",
        step_details=MessageCreationDetails(message_creation=MessageCreation(message_id="msg_1")),
        **fields,
    )


def step_row(id: str = "step_1", at: int = 100, run_id: str = "run_1", **fields: Any) -> StepRow:
    return from_wire(step(id, at, run_id, **fields))


async def created(
    tx: Tx,
    project: str,
    run: Run,
    events: Sequence[RawEvent],
    owner: str | UnsetType = UNSET,
    predecessor: str | None = None,
) -> RunRow:
    """Add a run."""
    return (await tx.runs.create(project, Change(run=run, events=events, owner=owner), predecessor)).row


async def changed(
    tx: Tx,
    row: RunRow,
    run: Run,
    events: Sequence[RawEvent],
    owner: str | UnsetType = UNSET,
    ready_at: int | UnsetType = UNSET,
) -> RunRow:
    """Change the given fields of a run. Other fields stay."""
    return (await tx.runs.apply(row, Change(run=run, events=events, owner=owner, ready_at=ready_at), 1000)).row


def event(name: EventName = EventName.RUN_QUEUED, data: bytes = b'{"id":"run_1"}') -> RawEvent:
    return RawEvent(START, name, data)


def keep_thread(id: str = "thread_1") -> Callable[[Tx], Awaitable[None]]:
    """A work that inserts a thread."""
    return lambda tx: tx.threads.insert(MINE, thread(id))


def find_thread(id: str = "thread_1") -> Callable[[Tx], Awaitable[Thread | None]]:
    """A work that looks for it."""
    return lambda tx: tx.threads.get(MINE, id)


async def add_runs(store: Store, *runs: Run, project: str = MINE) -> list[RunRow]:
    """Insert runs, without events."""

    async def work(tx: Tx) -> list[RunRow]:
        return [await created(tx, project, each, ()) for each in runs]

    return await store.write(work)


async def remove_deleted(store: Store, now: int = 1000) -> int:
    """Remove all that belongs to deleted objects; how many transactions it took."""
    parts = 0
    while await store.write(lambda tx: tx.deletions.remove(now, 500, 2**20)):
        parts += 1
        assert parts < 1000
    return parts


def asked(limit: int = 20, order: str = "desc", after: str | None = None, before: str | None = None) -> ListQuery:
    return ListQuery(limit=limit, order=SortOrder(order), after=after, before=before)


async def newest_messages(tx: Tx, project: str, thread_id: str, limit: int, before: str | None = None) -> list[Message]:
    """The newest messages of a thread, as prompts are built from them."""
    return (await tx.messages.newest(project, thread_id, limit, before)).messages
