"""The deltas of an open message: all are kept, and they take little memory."""

import tracemalloc

import pytest

from runstead.broker.inprocess import InProcessBroker
from runstead.broker.kept_deltas import KeptDeltas
from runstead.wire.event import RawEvent
from tests.support.deltas import all_events, token_deltas
from tests.support.waiting import within

TOKENS = 2000


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 128, 1000])
def test_all_deltas_are_kept_in_order(count: int) -> None:
    deltas, one_by_one, at_once = token_deltas(count), KeptDeltas(), KeptDeltas()
    for delta in deltas:
        one_by_one.extend([delta])
    at_once.extend(deltas)
    assert all_events(one_by_one) == all_events(at_once) == deltas
    assert bool(at_once) == bool(count)


def test_deltas_that_come_later_are_not_in_batches_that_were_read() -> None:
    deltas, kept = token_deltas(70), KeptDeltas()
    kept.extend(deltas[:10])
    batches = kept.batches()
    kept.extend(deltas[10:])
    assert batches == [deltas[:10]]
    kept.clear()
    assert not kept
    assert kept.batches() == []


async def test_an_open_message_takes_a_few_times_its_text() -> None:
    text = sum(len(f" {number}") for number in range(TOKENS))
    broker = InProcessBroker()
    tracemalloc.start()
    try:
        for delta in token_deltas(TOKENS):
            await broker.publish("run_1", [RawEvent(delta.at, delta.name, bytes(bytearray(delta.data)))])
        del delta
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert taken < 6 * text
    async with broker.subscribe("run_1") as live, within():
        received: list[RawEvent] = []
        while len(received) < TOKENS:
            batch = await anext(live)
            received += batch or ()
    assert received == token_deltas(TOKENS)
