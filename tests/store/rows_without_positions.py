"""Rows of a database of the schema before positions. Their times do not grow in the order of insertion."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from runstead.store.port import Store, Tx
from runstead.store.tables.body import encode
from runstead.store.tables.chosen_defaults import ASSISTANT
from runstead.wire.page import ListQuery, Page
from runstead.wire.run import Status
from runstead.wire.webhook import Webhook
from tests.store.things import MINE, THEIRS, asked, assistant, message, newest_messages, run, step, thread

__all__ = ["LISTS", "expected", "newest", "rows", "whole_lists"]

Columns: TypeAlias = Mapping[str, str | int | bytes | None]

TIMES = [105, 101, 101, 109, 90, 2_000, 100, 100]
"""The creation times of the items of a list, in the order of their insertion."""
WAITING = [120, 95]
"""The same of messages that wait behind a run."""
_LAST = 2**61
"""The time in the column of a message that waited."""

_PAGES: Mapping[str, Callable[[Tx, ListQuery], Awaitable[Page[Any] | None]]] = {
    "assistants": lambda tx, query: tx.assistants.page(MINE, query),
    "threads": lambda tx, query: tx.threads.page(MINE, query),
    "messages": lambda tx, query: tx.messages.page(MINE, "thread_1", query),
    "messages of a run": lambda tx, query: tx.messages.page(MINE, "thread_1", query, "run_1"),
    "runs": lambda tx, query: tx.runs.page(MINE, "thread_1", query),
    "steps": lambda tx, query: tx.steps.page(MINE, "run_1", query),
    "webhooks": lambda tx, query: tx.webhooks.page(MINE, query),
    "deliveries": lambda tx, query: tx.webhooks.deliveries(MINE, "hook_1", query),
    "projects": lambda tx, query: tx.projects.page(query),
}
LISTS = tuple(_PAGES)


def rows() -> Iterator[tuple[str, Columns]]:
    """Tables and columns, in the order of insertion. Two lists of a kind take turns."""
    for number, at in enumerate(TIMES):
        for name, owner in ((f"item_{number}", "1"), (f"other_{number}", "2")):
            yield from _items(name, at if owner == "1" else 1000 - at, owner)
    for number, at in enumerate(WAITING):
        held = message(f"waiting_{number}", at)
        yield "messages", {**_columns(held.id, _LAST, "1", encode(held)), "thread_id": "thread_1", "behind": "item_0"}


def _items(name: str, at: int, owner: str) -> Iterator[tuple[str, Columns]]:
    thread_id, run_id = f"thread_{owner}", f"run_{owner}"
    said = message(name, at, thread_id, run_id=run_id)
    made = run(name, at, thread_id, status=Status.COMPLETED)
    hook = Webhook(id=name, created_at=at, updated_at=at, url="https://example.com", event_types=[], name="")
    yield "assistants", _columns(name, at, owner, ASSISTANT.encode(assistant(name, at)))
    yield "threads", _columns(name, at, owner, encode(thread(name, at)))
    yield "messages", {**_columns(name, at, owner, encode(said)), "thread_id": thread_id, "run_id": run_id}
    # The first run of the thread is still at work: the messages above wait behind it.
    status = "in_progress" if name == "item_0" else "completed"
    of_run: Columns = {"thread_id": thread_id, "status": status, "version": 1}
    yield "runs", {**_columns(name, at, owner, encode(made)), **of_run, "last_event": 0}
    yield "steps", {**_columns(name, at, owner, encode(step(name, at, run_id))), "run_id": run_id}
    yield "webhooks", {**_columns(name, at, owner, encode(hook)), "enabled": 1, "events": ""}
    delivered = {"webhook_id": f"hook_{owner}", "event_type": "thread.run.completed", "thread_id": "t", "run_id": "r"}
    yield "deliveries", {"id": name, "project": _project(owner), "created_at": at, **delivered, "payload": b"{}"}
    if owner == "1":
        yield "projects", {"name": name, "created_at": at}


def _columns(name: str, at: int, owner: str, body: bytes) -> Columns:
    return {"id": name, "project": _project(owner), "created_at": at, "body": body}


def _project(owner: str) -> str:
    return MINE if owner == "1" else THEIRS


def expected(kind: str) -> list[str]:
    """The list as the schema before has it, oldest first."""
    found = [f"item_{number}" for number in sorted(range(len(TIMES)), key=lambda number: (TIMES[number], number))]
    return [*found, "waiting_0", "waiting_1"] if kind == "messages" else found


async def whole_lists(store: Store) -> dict[str, list[str]]:
    """Every list, oldest first, by two pages of which the second begins after the first one's end."""
    return {kind: await _whole(store, kind) for kind in LISTS}


async def newest(store: Store) -> list[str]:
    """The messages for a prompt, oldest first."""
    found = await store.read(lambda tx: newest_messages(tx, MINE, "thread_1", 100))
    return [each.id for each in found][::-1]


async def _whole(store: Store, kind: str) -> list[str]:
    first = await store.read(lambda tx: _page(tx, kind, 3, None))
    rest = await store.read(lambda tx: _page(tx, kind, 100, first[-1]))
    return [*first, *rest]


async def _page(tx: Tx, kind: str, limit: int, after: str | None) -> Sequence[str]:
    page = await _PAGES[kind](tx, asked(limit, "asc", after=after))
    assert page is not None
    return [each.id for each in page.data]
