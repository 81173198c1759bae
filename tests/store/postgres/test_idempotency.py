"""Two processes get the same request with the same key: one carries it out, the other repeats its reply."""

import asyncio
from functools import partial

import msgspec
import pytest

from runstead.domain.idempotency import Replay, digest, with_key
from runstead.engine.idempotency import as_reply, once
from runstead.engine.resources.project import Project
from runstead.store.port import Tx
from runstead.store.postgres import PostgresStore
from runstead.wire.message import Message, MessageRequest
from tests.store.postgres.conftest import Waiting
from tests.store.postgres.test_races import open_in
from tests.store.things import MINE, keep_thread, message, newest_messages
from tests.support.waiting import within
from tests.support.worlds import adapters_of

KEY = with_key("k", digest(b"this"))
HI = MessageRequest(role="user", content="Hi")


async def add(tx: Tx) -> Message:
    await tx.messages.insert(MINE, [message()])
    return message()


async def asked(store: PostgresStore) -> Message:
    return await Project(adapters_of(store=store), MINE).once(KEY).create_message("thread_1", HI)


async def said(store: PostgresStore) -> list[str]:
    newest = await store.read(lambda tx: newest_messages(tx, MINE, "thread_1", 10))
    return [message.id for message in newest]


@pytest.mark.parametrize("undo", [False, True])
async def test_the_second_request_with_a_key_waits_for_the_first_transaction(
    first: PostgresStore, second: PostgresStore, waiting: Waiting, *, undo: bool
) -> None:
    await first.write(keep_thread())
    now = adapters_of(store=first).now()
    async with within(), asyncio.TaskGroup() as group:
        async with open_in(first, partial(once, MINE, KEY, now, add, as_reply), undo=undo):
            other = group.create_task(outcome(second))
            await waiting(1)
        told = await other
    assert (told == msgspec.json.encode(message())) == (not undo)
    assert (await said(first) == ["msg_1"]) == (not undo)
    assert len(await said(first)) == 1


async def test_of_many_requests_at_once_one_is_carried_out(first: PostgresStore, second: PostgresStore) -> None:
    await first.write(keep_thread())
    told = await asyncio.gather(*(outcome(store) for _ in range(10) for store in (first, second)))
    assert len(set(told)) == 1
    assert len(await said(first)) == 1


async def outcome(store: PostgresStore) -> bytes:
    """The reply, whichever process made it."""
    try:
        return msgspec.json.encode(await asked(store))
    except Replay as repeated:
        return repeated.answer
