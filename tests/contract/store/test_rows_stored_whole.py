"""A database of the versions that stored runs and events whole: it is migrated, read, and written on."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from runstead.domain.run.change import Change, run_event
from runstead.store.port import Store, Tx
from runstead.store.postgres import migrations as postgres
from runstead.store.sqlite import migrations as sqlite
from runstead.wire.codec.response import read_event
from runstead.wire.codec.run_parts import Settings, encode_settings
from runstead.wire.event import EventName
from runstead.wire.run import Status
from tests.contract.store.adapters import ADAPTERS, Adapter
from tests.store.things import MINE, becomes, message, run, thread
from tests.support.older_schema import migrations_up_to

RUN = run(status=Status.IN_PROGRESS, instructions="Be brief.", metadata={"a": "1"})
EVENT = EventName.RUN_IN_PROGRESS
REPLIES = {
    "run": msgspec.json.encode(RUN),
    "message": msgspec.json.encode(message("msg_1", metadata={"name": "Zoë \0"})),
    "thread": msgspec.json.encode(thread()),
    "test": b'{"object":"webhook_endpoint.test"}',
}
INSERT_RUN = """
INSERT INTO runs (id, project, thread_id, created_at, status, version, last_event, owner, expires_at, body)
VALUES ('run_1', 'default', 'thread_1', 100, 'in_progress', 1, 1, 'worker-1', 700, :body)
"""
INSERT_EVENT = "INSERT INTO events (run_id, project, first, last, body) VALUES ('run_1', 'default', 1, 1, :body)"

INSERT_REPLY = """
INSERT INTO answers (project, key, digest, doubtful, seq, expires_at, body)
VALUES ('default', :key, :digest, 0, 0, 1000, :body)
"""


@pytest.fixture(params=[adapter for adapter in ADAPTERS if adapter.durable], ids=lambda adapter: adapter.name)
async def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A store that was filled before the migration, and opened after it."""
    adapter: Adapter = request.param
    with migrations_up_to(8, sqlite, tmp_path), migrations_up_to(14, postgres, tmp_path):
        before = adapter.make(tmp_path)
        await before.start()
        await before.write(fill)
        await before.stop()
    store = adapter.make(tmp_path)
    await store.start()
    yield store
    await store.stop()


async def fill(tx: Tx) -> None:
    session: Any = tx.threads._session  # type: ignore[attr-defined]
    await tx.threads.insert(MINE, thread())
    await session.execute(INSERT_RUN, body=msgspec.json.encode(RUN))
    await session.execute(INSERT_EVENT, body=b'[["%b",%b]]' % (EVENT.encode(), msgspec.json.encode(RUN)))
    for key, reply in REPLIES.items():
        await session.execute(INSERT_REPLY, key=key, digest=b"1", body=reply)


async def test_a_run_stored_whole_goes_on(migrated: Store) -> None:
    row = await migrated.read(lambda tx: tx.runs.load("run_1"))
    assert row is not None
    assert row.run == RUN
    done = becomes(RUN, Status.COMPLETED, completed_at=200)
    change = Change(run=done, events=[run_event(done)])
    await migrated.write(lambda tx: tx.runs.apply(row, change, 200))
    after = await migrated.read(lambda tx: tx.runs.load("run_1"))
    assert after is not None
    assert (after.run, after.owner) == (done, None)
    events = await migrated.read(lambda tx: tx.events.after("run_1", 0, 10))
    known = Settings(encode_settings(done))
    assert [read_event(event._replace(data=known.whole(event.data))).data for event in events] == [RUN, done]
    ledger = await migrated.read(lambda tx: tx.ledger.page("", 10))
    assert [event.data for event in ledger.records[0].events] == [RUN, done]


async def test_a_reply_recorded_without_its_subject_is_erased_with_it(migrated: Store) -> None:
    async def subjects(tx: Tx) -> list[str | None]:
        records = [await tx.idempotency.get(MINE, key, 500) for key in REPLIES]
        return [record.subject for record in records if record is not None]

    assert await migrated.read(subjects) == ["thread_1/run_1", "thread_1/msg_1", "thread_1", None]
