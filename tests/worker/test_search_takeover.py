"""A worker is gone in the middle of a file search, or of the answer to it: the next one has the same passages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from runstead.engine.check import examine
from runstead.llm.scripted import Gate, Turn, call, say
from runstead.store.port import Store
from runstead.store.sqlite import SqliteStore
from runstead.tools.file_search import FileSearchServer
from runstead.wire.content import FileCitation, TextPart
from runstead.wire.run import Run
from runstead.wire.search import SearchRanking
from runstead.wire.tool import FileSearchResources, FileSearchTool, ToolResources
from tests.support.clock import FastClock
from tests.support.crash import doomed
from tests.support.reader import Reader
from tests.support.waiting import until, within
from tests.support.worlds import World, text_of, world

LONG = 10**6


class Passage(Struct, frozen=True):
    """A passage of a file."""

    file_id: str
    file_name: str
    text: str
    attributes: dict[str, str | float | bool] = {}
    score: float = 0.5
    heading: str = ""
    place: str | None = None


class Searches:
    """Finds the query in a file that is named after it. Searches wait at the gate, if there is one."""

    def __init__(self, gate: Gate | None = None) -> None:
        self.queries: list[str] = []
        self._gate = gate

    async def search(
        self,
        project: str,
        store_ids: Sequence[str],
        queries: Sequence[str],
        *,
        limit: int,
        ranking: SearchRanking | None = None,
    ) -> Sequence[Passage]:
        self.queries += queries
        if self._gate is not None and "held" in queries:
            self._gate.reached.set()
            await self._gate.opened.wait()
        return [Passage(file_id=f"file-{query}", file_name=f"{query}.txt", text=f"About {query}.") for query in queries]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "rs.db"


def settings(place: Path, searches: Searches) -> dict[str, Any]:
    store: Store = SqliteStore(place)
    return {"store": store, "clock": FastClock(), "lifetime": LONG, "tools": [FileSearchServer(searches)]}


async def started(here: World) -> Run:
    store = await here.project.create_vector_store()
    resources = ToolResources(file_search=FileSearchResources(vector_store_ids=[store.id]))
    return await here.start(tools=[FileSearchTool()], tool_resources=resources)


async def checked(here: World, run: Run) -> tuple[str, list[tuple[str, str]]]:
    """The answer of a completed run, and its citations with their files."""
    Reader().read(await here.events(run))
    wrong: list[str] = []
    await examine(here.adapters.store, lambda violation: wrong.append(str(violation)))
    assert wrong == []
    answer = (await here.written(run))[-1]
    [part] = answer.content
    assert isinstance(part, TextPart)
    notes = [note for note in part.text.annotations if isinstance(note, FileCitation)]
    assert all(part.text.value[note.start_index : note.end_index] == note.text for note in notes)
    return text_of(answer), [(note.text, note.file_citation.file_id) for note in notes]


async def test_a_search_that_was_interrupted_is_repeated_under_the_same_number(place: Path) -> None:
    gate, again = Gate(), Searches()
    turns: list[Turn] = [
        call("file_search", query="one"),
        [call("file_search", query=query) for query in ("two", "held")],
    ]
    async with doomed(turns, Path(), **settings(place, Searches(gate))) as here:
        run = await started(here)
        async with within():
            await gate.reached.wait()

        async def two_is_committed() -> bool:
            rows = await here.adapters.store.read(lambda tx: tx.steps.of_run(run.id))
            return len(rows) == 2 and sum(each.ended for each in rows[1].calls) == 1

        await until(two_is_committed)
    async with world(["A【0:0】 b【1:0】 c【2:0】 d【3:0】."], **settings(place, again)) as here:
        assert (await here.ended(run)).status == "completed"
        assert again.queries == ["held"], "finished searches are not repeated"
        assert await checked(here, run) == (
            "A【0:0†one.txt】 b【1:0†two.txt】 c【2:0†held.txt】 d【3:0】.",
            [("【0:0†one.txt】", "file-one"), ("【1:0†two.txt】", "file-two"), ("【2:0†held.txt】", "file-held")],
        )


async def test_an_answer_that_was_interrupted_is_written_again_with_its_citations(place: Path) -> None:
    gate, again = Gate(), Searches()
    turns: list[Turn] = [call("file_search", query="one"), [say("So 【0:0】 and 【0:"), gate]]
    async with doomed(turns, Path(), **settings(place, Searches())) as here:
        run = await started(here)
        async with within():
            await gate.reached.wait()
    async with world(["So 【0:0】."], **settings(place, again)) as here:
        assert (await here.ended(run)).status == "completed"
        assert again.queries == []
        assert await checked(here, run) == ("So 【0:0†one.txt】.", [("【0:0†one.txt】", "file-one")])


async def test_an_answer_that_is_cancelled_keeps_its_citations(place: Path) -> None:
    gate = Gate()
    turns: list[Turn] = [call("file_search", query="one"), [say("So 【0:0】 and 【0:"), gate]]
    async with world(turns, **settings(place, Searches())) as here:
        run = await started(here)
        async with within():
            await gate.reached.wait()
        await here.project.cancel(run.thread_id, run.id)
        assert (await here.ended(run)).status == "cancelled"
        assert await checked(here, run) == ("So 【0:0†one.txt】 and ", [("【0:0†one.txt】", "file-one")])
