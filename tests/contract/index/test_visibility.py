"""The visibility of passages, from the first chunk that is added to the last that is removed."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from runstead.retrieval.index.port import MAX_CHUNKS, EntryRemoved, Index, IndexedChunk
from runstead.wire.error import RunsteadError
from runstead.wire.filter import EqualFilter
from tests.contract.index.passages import NO_VECTORS, chunks_of, entry, fill, found, search, vectors


async def test_nothing_is_found_before_it_is_published(index: Index) -> None:
    await index.add(entry("file_1"), chunks_of(["the red fox"]), vectors(["fox"]))
    assert await found(index, "fox", seed="fox") == []
    assert await index.size("proj_1", "vs_1") == 0
    assert await index.published("proj_1", "vs_1") == {}

    await index.publish(entry("file_1"), {})
    assert await found(index, "fox", seed="fox") == ["the red fox"]
    assert await index.size("proj_1", "vs_1") == 1
    assert await index.published("proj_1", "vs_1") == {"file_1": "1"}


async def test_chunks_come_in_any_number_of_parts(index: Index) -> None:
    texts = [f"passage {number} about owls" for number in range(6)]
    for first in (0, 2, 4):
        part = texts[first : first + 2]
        await index.add(entry("file_1"), chunks_of(part, first), vectors(part))
    await index.publish(entry("file_1"), {})
    assert await index.size("proj_1", "vs_1") == 6
    for number, text in enumerate(texts):
        best = (await search(index, "", seed=text))[0]
        assert (best.chunk.number, best.chunk.text) == (number, text)
        assert best.score == pytest.approx(1.0, abs=0.01)


async def test_a_chunk_is_returned_as_it_was_added(index: Index) -> None:
    chunk = IndexedChunk(number=7, start=10, end=99, text="Grüße aus 東京 🦊", heading="A › B", place="page 3")
    await index.add(entry("file_1"), [chunk], NO_VECTORS)
    await index.publish(entry("file_1"), {})
    (hit,) = await search(index, "grüße")
    assert (hit.store_id, hit.file_id, hit.chunk) == ("vs_1", "file_1", chunk)
    assert [hit.chunk for hit in await search(index, "a b")] == [chunk]  # headings are searched too


async def test_characters_that_the_database_cannot_store_are_replaced_in_place(index: Index) -> None:
    await fill(index, entry("file_1"), ["before\0after \ud800 lynx"], {"k\0": "v\0"})
    (hit,) = await search(index, "lynx", filters=EqualFilter(key="k\0", value="v\0"))
    assert hit.chunk.text == "before\N{REPLACEMENT CHARACTER}after \N{REPLACEMENT CHARACTER} lynx"


async def test_a_chunk_that_is_added_again_is_replaced(index: Index) -> None:
    await index.add(entry("file_1"), chunks_of(["an otter", "a badger", "a heron"]), vectors(["a", "b", "c"]))
    await index.add(entry("file_1"), chunks_of(["a stoat", "a marten"], 1), vectors(["d", "e"]))
    await index.publish(entry("file_1"), {})
    assert await index.size("proj_1", "vs_1") == 3
    assert await found(index, "badger") == []
    assert await found(index, "stoat") == ["a stoat"]
    for seed, text in {"a": "an otter", "d": "a stoat", "e": "a marten"}.items():
        assert (await found(index, seed=seed))[0] == text
    assert max(hit.score for hit in await search(index, seed="b")) < 0.5


async def test_a_new_version_replaces_the_old_one_in_one_step(index: Index) -> None:
    await fill(index, entry("file_1", "old"), ["old text about bees"], {"edition": 1}, seeds=["bees"])
    await index.add(entry("file_1", "new"), chunks_of(["new text about bees"]), vectors(["bees"]))
    assert await found(index, "bees", seed="bees") == ["old text about bees"]
    seen = []

    async def publish() -> None:
        await index.publish(entry("file_1", "new"), {"edition": 2})

    async with asyncio.TaskGroup() as tasks:
        publishing = tasks.create_task(publish())
        while not publishing.done():
            seen.append(await found(index, "bees", seed="bees"))
    seen.append(await found(index, "bees", seed="bees"))
    assert [texts for texts in seen if len(texts) != 1] == []
    assert seen[-1] == ["new text about bees"]
    assert await index.published("proj_1", "vs_1") == {"file_1": "new"}
    assert not await search(index, "bees", filters=EqualFilter(key="edition", value=1))


async def test_a_discarded_entry_vanishes_and_a_published_one_stays(index: Index) -> None:
    await fill(index, entry("file_1", "a"), ["a finch"])
    await index.add(entry("file_1", "b"), chunks_of(["a linnet"]), NO_VECTORS)
    await index.discard(entry("file_1", "b"))
    await index.discard(entry("file_1", "a"))
    await index.discard(entry("file_2", "never added"))
    with pytest.raises(EntryRemoved):
        await index.publish(entry("file_1", "b"), {})
    with pytest.raises(EntryRemoved):
        await index.add(entry("file_1", "b"), chunks_of(["another linnet"], 1), NO_VECTORS)
    with pytest.raises(EntryRemoved):
        await index.publish(entry("file_3"), {})
    assert await found(index, "finch") == ["a finch"]
    assert await found(index, "linnet") == []


@pytest.mark.parametrize("removed", ["file", "store", "another version is published"])
async def test_an_attempt_that_was_overtaken_is_refused(index: Index, removed: str) -> None:
    await index.add(entry("file_1", "slow"), chunks_of(["half a crow"]), NO_VECTORS)
    match removed:
        case "file":
            await index.remove_file("proj_1", "vs_1", "file_1")
        case "store":
            await index.remove_store("proj_1", "vs_1")
        case _:
            await fill(index, entry("file_1", "fast"), ["a whole crow"])
    before = await index.published("proj_1", "vs_1")
    with pytest.raises(EntryRemoved):
        await index.add(entry("file_1", "slow"), chunks_of(["the other half"], 1), NO_VECTORS)
    with pytest.raises(EntryRemoved):
        await index.publish(entry("file_1", "slow"), {})
    assert await index.published("proj_1", "vs_1") == before


async def test_publishing_again_changes_the_attributes_alone(index: Index) -> None:
    await fill(index, entry("file_1"), ["a wren"], {"year": 1})
    await index.publish(entry("file_1"), {"year": 2})
    with pytest.raises(RunsteadError, match="published already"):
        await index.add(entry("file_1"), chunks_of(["another wren"], 1), NO_VECTORS)
    assert len(await search(index, "wren", filters=EqualFilter(key="year", value=2))) == 1


async def test_an_empty_file_is_published(index: Index) -> None:
    await fill(index, entry("file_1"), [])
    assert await index.published("proj_1", "vs_1") == {"file_1": "1"}
    assert await found(index, "anything", seed="anything") == []


async def test_attributes_are_replaced_as_a_whole(index: Index) -> None:
    await fill(index, entry("file_1"), ["a crane"], {"a": 1, "b": 2})
    await index.set_attributes("proj_1", "vs_1", "file_1", {"b": 3})
    await index.set_attributes("proj_1", "vs_1", "unknown", {"b": 3})
    assert len(await search(index, "crane", filters=EqualFilter(key="b", value=3))) == 1
    assert not await search(index, "crane", filters=EqualFilter(key="a", value=1))


async def test_a_removed_file_is_not_found_and_may_come_back(index: Index) -> None:
    await fill(index, entry("file_1"), ["a swift"], seeds=["swift"])
    await fill(index, entry("file_2"), ["another swift"], seeds=["swift"])
    await index.add(entry("file_1", "2"), chunks_of(["a third swift"]), NO_VECTORS)
    await index.remove_file("proj_1", "vs_1", "file_1")
    await index.remove_file("proj_1", "vs_1", "unknown")
    assert await found(index, "swift", seed="swift") == ["another swift"]
    await fill(index, entry("file_1", "3"), ["the swift is back"], seeds=["swift"])
    assert set(await found(index, "swift", seed="swift")) == {"another swift", "the swift is back"}
    assert await index.size("proj_1", "vs_1") == 2


async def test_a_removed_store_is_empty_and_may_be_filled_again(index: Index) -> None:
    for number in range(3):
        await fill(index, entry(f"file_{number}"), ["a rook"], seeds=["rook"])
    await fill(index, entry("file_1", store="vs_2"), ["a rook elsewhere"], seeds=["rook"])
    await index.remove_store("proj_1", "vs_1")
    await index.remove_store("proj_1", "unknown")
    assert await found(index, "rook", seed="rook") == []
    assert await index.size("proj_1", "vs_1") == 0
    assert await found(index, "rook", stores=["vs_1", "vs_2"], seed="rook") == ["a rook elsewhere"]
    await fill(index, entry("file_1", "2"), ["a new rook"], seeds=["rook"])
    assert await found(index, "rook", seed="rook") == ["a new rook"]


async def test_projects_and_stores_do_not_see_each_other(index: Index) -> None:
    for project in ("proj_1", "proj_2"):
        for store in ("vs_1", "vs_2"):
            what = entry("file_1", store=store, project=project)
            await fill(index, what, [f"a magpie of {project} {store}"], seeds=["magpie"])
    await index.remove_store("proj_2", "vs_1")
    await index.remove_file("proj_2", "vs_2", "file_1")
    assert await found(index, "magpie", seed="magpie") == ["a magpie of proj_1 vs_1"]
    both = await found(index, "magpie", stores=["vs_1", "vs_2", "vs_1", "unknown"], seed="magpie")
    assert sorted(both) == ["a magpie of proj_1 vs_1", "a magpie of proj_1 vs_2"]
    assert await search(index, "magpie", project="proj_3", seed="magpie") == []
    assert await search(index, "magpie", stores=[], seed="magpie") == []


async def test_published_passages_are_found_after_a_restart(make: Callable[[], Index]) -> None:
    first = make()
    await first.start()
    await fill(first, entry("file_1"), ["a stork"], {"legs": 2}, seeds=["stork"])
    await first.add(entry("file_2"), chunks_of(["a half stork"]), vectors(["stork"]))
    await first.stop()
    second = make()
    await second.start()
    assert await found(second, "stork", seed="stork") == ["a stork"]
    assert len(await search(second, "stork", filters=EqualFilter(key="legs", value=2))) == 1
    await second.publish(entry("file_2"), {})
    assert await second.size("proj_1", "vs_1") == 2
    await second.stop()


async def test_two_indexes_over_one_place_find_the_passages_of_both(make: Callable[[], Index]) -> None:
    one, other = make(), make()
    await one.start()
    await other.start()
    await fill(one, entry("file_1"), ["a gull"], seeds=["gull"])
    assert await found(other, "gull", seed="gull") == ["a gull"]
    await fill(other, entry("file_1", "2"), ["a tern"], seeds=["tern"])
    assert await found(one, "gull tern", seed="tern") == ["a tern"]
    await one.remove_file("proj_1", "vs_1", "file_1")
    assert await found(other, "tern", seed="tern") == []
    await one.stop()
    await other.stop()


@pytest.mark.parametrize("shape", [(1, 8), (3, 8), (2, 0), (2, 5000)])
async def test_chunks_and_vectors_must_fit(index: Index, shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="2 chunks need as many vectors"):
        await index.add(entry("file_1"), chunks_of(["a", "b"]), np.ones(shape, dtype=np.float32))
    assert await index.published("proj_1", "vs_1") == {}


@pytest.mark.parametrize("numbers", [(0, 0), (-1, 0), (0, MAX_CHUNKS)])
async def test_chunks_have_numbers_of_their_own(index: Index, numbers: tuple[int, ...]) -> None:
    chunks = [IndexedChunk(number=number, start=0, end=1, text="a") for number in numbers]
    with pytest.raises(ValueError, match="from 0 to 1048575"):
        await index.add(entry("file_1"), chunks, NO_VECTORS)
    last = IndexedChunk(number=MAX_CHUNKS - 1, start=0, end=1, text="the last pipit")
    await index.add(entry("file_1"), [last], vectors(["pipit"]))
    await index.publish(entry("file_1"), {})
    assert [hit.chunk for hit in await search(index, "pipit", seed="pipit")] == [last]


async def test_searches_meanwhile_see_whole_files(index: Index) -> None:
    """A file is found with all of its chunks or with none, while others are published and removed."""
    texts = [f"kestrel number {number}" for number in range(5)]

    async def write(file_id: str) -> None:
        for version in range(4):
            await fill(index, entry(file_id, str(version)), texts, seeds=texts)
        await index.remove_file("proj_1", "vs_1", file_id)

    async def read() -> None:
        while writing:
            hits = await search(index, "kestrel", seed=texts[0], limit=50)
            counts: dict[str, int] = {}
            for hit in hits:
                counts[hit.file_id] = counts.get(hit.file_id, 0) + 1
            assert set(counts.values()) <= {5}

    writing = {"file_1", "file_2", "file_3"}

    async def write_and_count(file_id: str) -> None:
        await write(file_id)
        writing.discard(file_id)

    async with asyncio.TaskGroup() as tasks:
        for file_id in writing:
            tasks.create_task(write_and_count(file_id))
        for _ in range(2):
            tasks.create_task(read())
    assert await index.size("proj_1", "vs_1") == 0
