"""The observer receives each event of a run once, whichever part of the engine reports it."""

from pathlib import Path

from runstead.domain.run.journal import CallStatus
from runstead.llm.scripted import Gate, Turn, call, say
from runstead.store.port import RunRow
from runstead.store.sqlite import SqliteStore
from tests.support.clock import ManualClock
from tests.support.crash import doomed
from tests.support.tools import BOTH, Execute, Search
from tests.support.waiting import within
from tests.support.worlds import WEATHER, world


class Recorder:
    """An observer that records its calls."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        self.commits: list[float] = []

    def run_created(self, row: RunRow) -> None:
        self.happened.append(f"created {row.project}")

    def run_claimed(self, row: RunRow) -> None:
        self.happened.append(f"claimed {row.run.status}")

    def first_token(self, row: RunRow, seconds: float) -> None:
        assert seconds >= 0
        self.happened.append("first token")

    def tool_ran(self, row: RunRow, tool: str, status: CallStatus, seconds: float) -> None:
        assert seconds >= 0
        self.happened.append(f"{tool} {status}")

    def run_ended(self, row: RunRow) -> None:
        self.happened.append(f"ended {row.run.status}")

    def run_recovered(self, row: RunRow) -> None:
        self.happened.append(f"recovered {row.run.status}")

    def committed(self, seconds: float) -> None:
        self.commits.append(seconds)


async def test_a_run_is_created_claimed_answered_and_ended() -> None:
    recorder = Recorder()
    async with world(["Hello"], observer=recorder) as here:
        await here.ended(await here.start())
    assert recorder.happened == ["created default", "claimed in_progress", "first token", "ended completed"]


async def test_commits_are_reported_and_reads_are_not() -> None:
    recorder = Recorder()
    async with world(observer=recorder) as here:
        before = len(recorder.commits)
        thread = await here.project.create_thread()
        await here.project.get_thread(thread.id)
        assert len(recorder.commits) == before + 1
    assert all(seconds > 0 for seconds in recorder.commits)


async def test_a_run_that_waits_for_the_client_is_claimed_twice_and_created_once() -> None:
    recorder = Recorder()
    async with world([call("weather"), "Sunny"], observer=recorder) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.submit(run)
        await here.ended(run)
    expected = ["created default", *["claimed in_progress", "first token"] * 2, "ended completed"]
    assert recorder.happened == expected


async def test_each_attempt_at_a_tool_is_reported_with_its_outcome() -> None:
    recorder = Recorder()
    script: list[Turn] = [[call("search", query="cats"), call("execute", code="1")], "Two cats."]
    async with world(script, observer=recorder, tools=[Search(), Execute()]) as here:
        await here.ended(await here.start(tools=BOTH))
    assert sorted(recorder.happened[3:5]) == ["code_interpreter completed", "file_search completed"]


async def test_a_run_that_is_cancelled_without_a_worker_has_ended() -> None:
    recorder = Recorder()
    async with world([call("weather")], observer=recorder) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.project.cancel(run.thread_id, run.id)
    assert recorder.happened[-1] == "ended cancelled"


async def test_a_run_that_expires_has_ended() -> None:
    recorder = Recorder()
    async with world([call("weather")], observer=recorder) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.clock.advance(700)
        assert (await here.now(run)).status == "expired"
    assert recorder.happened[-1] == "ended expired"


async def test_a_run_of_a_dead_worker_is_recovered_once_and_claimed_again(tmp_path: Path) -> None:
    gate = Gate()
    async with doomed([[say("Half"), gate]], tmp_path / "rs.db") as here:
        await here.start()
        async with within():
            await gate.reached.wait()
    recorder = Recorder()
    async with world(["Whole"], store=SqliteStore(tmp_path / "rs.db"), observer=recorder, clock=ManualClock()) as here:
        [thread] = (await here.project.threads()).data
        [run] = (await here.project.runs(thread.id)).data
        await here.ended(run)
    assert recorder.happened == ["recovered queued", "claimed in_progress", "first token", "ended completed"]
