"""The defaults that an assistant or a run has chosen, in every kind of store."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from runstead.domain.chosen_defaults import NONE_CHOSEN, ChosenDefaults
from runstead.domain.run import transitions
from runstead.domain.run.change import Change
from runstead.store.port import AssistantRow, Limits, RunRow, Store, Tx
from runstead.wire.run import Status
from tests.store.things import MINE, asked, assistant, becomes, run, thread

CHOICES: list[ChosenDefaults] = [NONE_CHOSEN, frozenset({"temperature"}), frozenset({"temperature", "top_p"})]
OLD = Limits()


async def body(tx: Tx, table: str, id: str) -> Any:
    row = await tx.threads._session.row(f"SELECT body FROM {table} WHERE id = :id", id=id)  # type: ignore[attr-defined]
    return msgspec.json.decode(row[0])


async def change_body(store: Store, table: str, id: str, **fields: Any) -> None:
    """Write fields into a stored body; None removes one."""

    async def work(tx: Tx) -> None:
        changed = {name: value for name, value in ((await body(tx, table, id)) | fields).items() if value is not None}
        update = f"UPDATE {table} SET body = :body WHERE id = :id"
        await tx.threads._session.execute(update, id=id, body=msgspec.json.encode(changed))  # type: ignore[attr-defined]

    await store.write(work)


async def assistant_of(store: Store) -> AssistantRow:
    row = await store.read(lambda tx: tx.assistants.get(MINE, "asst_1"))
    assert row is not None
    return row


async def run_of(store: Store) -> RunRow:
    row = await store.read(lambda tx: tx.runs.load("run_1"))
    assert row is not None
    return row


async def add_run(store: Store, chosen: ChosenDefaults) -> None:
    async def work(tx: Tx) -> None:
        await tx.threads.insert(MINE, thread())
        await tx.runs.create(MINE, replace(transitions.created(run()), chosen_defaults=chosen))

    await store.write(work)


@pytest.mark.parametrize("chosen", CHOICES)
async def test_an_assistant_keeps_its_chosen_options(store: Store, chosen: ChosenDefaults) -> None:
    row = replace(assistant(), chosen_defaults=chosen)
    await store.write(lambda tx: tx.assistants.insert(MINE, row))
    assert await assistant_of(store) == row
    opening = await store.read(lambda tx: tx.runs.opening(MINE, None, "asst_1", OLD))
    assert opening.assistant == row
    page = await store.read(lambda tx: tx.assistants.page(MINE, asked()))
    assert page is not None
    assert page.data == [row.assistant]


async def test_an_assistant_takes_a_choice_back(store: Store) -> None:
    await store.write(lambda tx: tx.assistants.insert(MINE, replace(assistant(), chosen_defaults=CHOICES[2])))

    async def work(tx: Tx) -> None:
        row = await tx.assistants.get(MINE, "asst_1")
        assert row is not None
        await tx.assistants.replace(MINE, replace(row, chosen_defaults=NONE_CHOSEN))

    await store.write(work)
    assert await assistant_of(store) == assistant()


@pytest.mark.parametrize("chosen", CHOICES)
async def test_a_run_keeps_its_chosen_options_through_all_its_changes(store: Store, chosen: ChosenDefaults) -> None:
    await add_run(store, chosen)
    row = await run_of(store)
    assert (row.run, row.chosen_defaults, row.unknown) == (run(), chosen, None)
    for status in (Status.IN_PROGRESS, Status.QUEUED, Status.IN_PROGRESS, Status.COMPLETED):
        change = Change(run=becomes(row.run, status))
        row = (await store.write(lambda tx, row=row, change=change: tx.runs.apply(row, change, 1000))).row  # type: ignore[misc]
        assert row.chosen_defaults == chosen
        assert await run_of(store) == row
    active = await store.read(lambda tx: tx.runs.page(MINE, "thread_1", asked()))
    assert active is not None
    assert active.data == [row.run]


async def test_a_row_of_an_older_version_has_chosen_no_default(store: Store) -> None:
    await store.write(lambda tx: tx.assistants.insert(MINE, replace(assistant(), chosen_defaults=CHOICES[2])))
    await add_run(store, CHOICES[2])
    await change_body(store, "assistants", "asst_1", chosen_defaults=None)
    await change_body(store, "runs", "run_1", chosen_defaults=None)
    assert await assistant_of(store) == assistant()
    assert (await run_of(store)).chosen_defaults == NONE_CHOSEN


async def test_a_choice_of_a_newer_version_is_kept(store: Store) -> None:
    await add_run(store, NONE_CHOSEN)
    await change_body(store, "runs", "run_1", chosen_defaults=["temperature", "warmth"])
    row = await run_of(store)
    await store.write(lambda tx: tx.runs.apply(row, Change(run=becomes(row.run, Status.IN_PROGRESS)), 1000))
    assert (await store.read(lambda tx: body(tx, "runs", "run_1")))["chosen_defaults"] == ["temperature", "warmth"]
