"""Idempotency records: a reply is recorded under its key, in the transaction of the work."""

import asyncio
from functools import partial

from msgspec.structs import replace

from runstead.store.port import IdempotencyRecord, Store, Tx
from tests.store.things import MINE, THEIRS, keep_thread

KEPT = IdempotencyRecord(digest=b"\x00\xff", body=b'{"id":"thread_1"}', expires_at=200, seq=3)


async def keep(store: Store, key: str, kept: IdempotencyRecord = KEPT, project: str = MINE) -> None:
    await store.write(lambda tx: tx.idempotency.put(project, key, kept))


async def found(store: Store, key: str, now: int = 100, project: str = MINE) -> IdempotencyRecord | None:
    return await store.write(lambda tx: tx.idempotency.get(project, key, now))


async def test_an_answer_is_found_by_its_key_in_its_project(store: Store) -> None:
    await keep(store, "k")
    assert await found(store, "k") == KEPT
    assert await found(store, "K") is None
    assert await found(store, "k", project=THEIRS) is None


async def test_an_answer_takes_the_place_of_the_one_before(store: Store) -> None:
    await keep(store, "k")
    later = replace(KEPT, digest=b"other", body=b"{}", expires_at=300, seq=0, ambiguous=True)
    await keep(store, "k", later)
    assert await found(store, "k") == later


async def test_an_answer_that_has_expired_is_not_found(store: Store) -> None:
    await keep(store, "k")
    assert await found(store, "k", 199) == KEPT
    assert await found(store, "k", 200) is None


async def test_expired_records_are_removed_a_few_at_a_time_the_oldest_first(store: Store) -> None:
    for number in range(5):
        await keep(store, f"k{number}", replace(KEPT, expires_at=200 + number))
    assert await store.write(lambda tx: tx.idempotency.prune(202, 2)) == 2
    assert await found(store, "k1") is None
    assert await found(store, "k2") is not None
    assert await store.write(lambda tx: tx.idempotency.prune(202, 2)) == 1
    assert await store.write(lambda tx: tx.idempotency.prune(202, 2)) == 0
    assert await found(store, "k3") is not None


async def test_transactions_that_get_a_key_are_serialized(store: Store) -> None:
    await store.write(keep_thread())

    async def work(number: int, tx: Tx) -> bytes:
        known = await tx.idempotency.get(MINE, "k", 100)
        if known is not None:
            return known.body
        await tx.threads.get(MINE, "thread_1")
        mine = b"%d" % number
        await tx.idempotency.put(MINE, "k", replace(KEPT, body=mine))
        return mine

    told = await asyncio.gather(*(store.write(partial(work, number)) for number in range(20)))
    assert len(set(told)) == 1
