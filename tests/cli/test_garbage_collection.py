"""The passes of the garbage collector stay small, however many objects live, and cycles are freed all the same."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from runstead.cli import garbage_collection
from runstead.cli.garbage_collection import collected_in_portions

LIVING = 400_000
PORTION = 30_001


class Node:
    """A part of a cycle."""

    def __init__(self) -> None:
        self.itself = self


async def collected(dead: "weakref.ref[Node]") -> None:
    """Wait until the node is freed."""
    while dead() is not None:  # noqa: ASYNC110 - the collector gives no signal
        await asyncio.sleep(0)


@contextmanager
def walked() -> Iterator[list[int]]:
    """How many objects each pass walks over, after the callbacks that are there already."""
    sizes: list[int] = []

    def count(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            sizes.append(sum(len(gc.get_objects(generation)) for generation in range(info["generation"] + 1)))

    gc.callbacks.append(count)
    try:
        yield sizes
    finally:
        gc.callbacks.remove(count)


async def test_no_pass_walks_over_all_living_objects() -> None:
    with collected_in_portions(), walked() as sizes:
        living = [[number] for number in range(LIVING)]
        assert len(living) == LIVING
        assert max(sizes) < PORTION
        assert len(sizes) > LIVING // PORTION


async def test_objects_that_replace_others_are_too_many_for_no_pass() -> None:
    """Python counts what is new less what was freed, so no pass begins before most of them are there."""
    with collected_in_portions(), walked() as sizes:
        living = [[number] for number in range(LIVING)]
        for number in range(LIVING):
            living[number] = [number]
        gc.collect()
        assert max(sizes) < PORTION


async def test_a_dead_cycle_that_was_exempt_is_freed_when_few_objects_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage_collection, "_PERIOD", 0.001)
    with collected_in_portions():
        node = Node()
        gc.collect()  # from here on it is exempt
        dead = weakref.ref(node)
        del node
        async with asyncio.timeout(5):
            await collected(dead)


async def test_a_process_that_is_never_idle_collects_all_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage_collection, "_PERIOD", 0.001)
    monkeypatch.setattr(garbage_collection, "_FEW", -(10**9))
    monkeypatch.setattr(garbage_collection, "_MAX_POSTPONED", 3)
    with collected_in_portions():
        node = Node()
        gc.collect()
        dead = weakref.ref(node)
        del node
        async with asyncio.timeout(5):
            await collected(dead)


async def test_the_collector_is_as_before_at_the_end() -> None:
    before = gc.get_threshold(), list(gc.callbacks)
    with collected_in_portions():
        assert gc.get_threshold() != before[0]
    assert (gc.get_threshold(), list(gc.callbacks)) == before
