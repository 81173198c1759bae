"""Tools that the server runs: the model asks, the server answers, and the model goes on, until the run ends."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from runstead.domain.model_call import ModelRequest
from runstead.domain.run.journal import Call, StepRow
from runstead.engine.check import examine
from runstead.engine.execution.tool_call import MAX_OUTPUT, MAX_SHOWN
from runstead.engine.execution.tool_turn import PARALLEL_CALLS
from runstead.llm.scripted import Call as CallAct
from runstead.llm.scripted import Gate, Turn, call, say, usage
from runstead.store.port import Store
from runstead.store.tables.steps import SqlSteps
from runstead.tools.port import ToolError, ToolResult, ToolSession
from runstead.wire.delta import RunStepDelta
from runstead.wire.error import BadRequest
from runstead.wire.event import Event
from runstead.wire.run import Run
from runstead.wire.run_step import (
    CodeInterpreter,
    CodeInterpreterCall,
    FileSearch,
    FileSearchCall,
    FunctionToolCall,
    LogsOutput,
    RunStep,
    ToolCall,
    ToolCallsDetails,
)
from runstead.wire.tool import FileSearchTool, Function, FunctionTool, NamedToolChoice, Tool
from tests.contract.store.adapters import ADAPTERS, Adapter
from tests.support.reader import Reader
from tests.support.tools import BOTH, Execute, Search, held_by
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, names, text_of, world

BEGIN = ["run.created", "run.queued", "run.in_progress"]
CALLS = ["run.step.created", "run.step.in_progress"]
ANSWER = [
    *("run.step.created", "run.step.in_progress", "message.created", "message.in_progress"),
    *("message.completed", "run.step.completed", "run.completed"),
]


async def checked(here: World, run: Run) -> list[Event]:
    """The stored events of a run; nothing is wrong with them, nor with the store."""
    events = await here.events(run)
    Reader().read(events)
    wrong: list[str] = []
    await examine(here.adapters.store, lambda violation: wrong.append(str(violation)))
    assert wrong == []
    return events


def told(request: ModelRequest) -> list[tuple[str, Any]]:
    return [(each["role"], each["content"]) for each in request.messages]


def calls_of(step: RunStep) -> list[ToolCall]:
    assert isinstance(step.step_details, ToolCallsDetails)
    return step.step_details.tool_calls


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.name)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    adapter: Adapter = request.param
    return adapter.make(tmp_path)


async def test_the_model_reads_the_outputs_of_its_tools_and_goes_on(any_store: Store) -> None:
    script: list[Turn] = [call("search", query="cats"), call("execute", code="1+1"), "Two cats."]
    search, execute = Search(), Execute()
    async with world(script, tools=[search, execute], store=any_store) as here:
        run = await here.ended(await here.start(tools=BOTH))
        assert run.status == "completed"
        assert [each.name for each in here.model.requests[0].functions] == ["search", "execute"]
        assert told(here.model.requests[2]) == [
            ("user", "Hello"),
            ("assistant", None),
            ("tool", 'search: {"query":"cats"}'),
            ("assistant", None),
            ("tool", 'execute: {"code":"1+1"}'),
        ]
        assert text_of((await here.written(run))[-1]) == "Two cats."
        assert names(await checked(here, run)) == [
            *BEGIN, *CALLS, "run.step.completed", *CALLS, "run.step.completed", *ANSWER
        ]  # fmt: skip
        searched, executed, _ = await here.steps(run)
        [found] = calls_of(searched)
        assert isinstance(found, FileSearchCall)
        assert [each.file_name for each in found.file_search.results] == ["notes.txt"]
        [ran] = calls_of(executed)
        assert isinstance(ran, CodeInterpreterCall)
        assert ran.code_interpreter.input == "1+1"
        assert search.began == [f"{run.id}/{found.id}/1"]


async def test_followers_see_a_call_begin_and_go_on() -> None:
    gate, joined, events = Gate(), asyncio.Event(), list[Event]()

    async def follow(run: Run, here: World) -> None:
        async for event in here.project.run_events(run.thread_id, run.id):
            events.append(event)
            joined.set()

    async with world([[gate, call("execute", code="1+1")], "Two."], tools=[Execute()]) as here:
        run = await here.start(tools=BOTH[1:])
        async with within(), asyncio.TaskGroup() as group:
            await gate.reached.wait()
            group.create_task(follow(run, here))
            await joined.wait()
            gate.open()
        Reader().read(events)
        deltas = [event.data.delta for event in events if isinstance(event.data, RunStepDelta)]
        brought = [each.step_details.tool_calls[0] for each in deltas]  # type: ignore[union-attr, index]
        assert [each.index for each in brought] == [0, 0, 0]
        first, code, outputs = [each.code_interpreter for each in brought]  # type: ignore[union-attr]
        assert (first.input, first.outputs) == ("", [])  # type: ignore[union-attr]
        assert code.input == "1+1"  # type: ignore[union-attr]
        assert outputs.outputs == [{"index": 0, "type": "logs", "logs": 'execute: {"code":"1+1"}'}]  # type: ignore[union-attr]


async def test_a_run_without_server_tools_writes_no_more_than_four_times() -> None:
    async with world(["Hello"], tools=[Search(), Execute()]) as here:
        run = await here.start(tools=[WEATHER])
        await here.ended(run)
        assert (await here.row(run)).version == 3, "it is claimed as it is made, begins a message, and ends with it"


async def test_calls_of_a_turn_run_at_once_and_are_committed_as_they_end() -> None:
    gates = {f'{{"n":{number}}}': Gate() for number in range(3)}

    async def wait(call: Call, session: ToolSession) -> str:
        return await held_by(gates[call.arguments], call.arguments)(call, session)

    turn: Turn = [call("search", n=number) for number in range(3)]
    async with world([turn, "Done."], tools=[Search(wait)]) as here:
        run = await here.start(tools=BOTH[:1])
        async with within():
            for gate in gates.values():
                await gate.reached.wait()
        for number, gate in reversed(list(enumerate(gates.values()))):
            gate.open()
            if number:

                async def is_committed(left: int = number) -> bool:
                    [step] = await here.steps(run)
                    shown = calls_of(step)
                    return [bool(each.file_search.results) for each in shown].count(False) == left  # type: ignore[union-attr]

                await until(is_committed)
        assert (await here.ended(run)).status == "completed"
        assert [each[1] for each in told(here.model.requests[1])[2:]] == list(gates), "in the order of the calls"
        await checked(here, run)


async def test_no_more_than_so_many_calls_run_at_once() -> None:
    running, most, full = 0, 0, asyncio.Event()

    async def count(call: Call, session: ToolSession) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == PARALLEL_CALLS:
            full.set()
        await full.wait()
        running -= 1
        return "x"

    turn: Turn = [call("search", n=number) for number in range(PARALLEL_CALLS * 3)]
    async with world([turn, "Done."], tools=[Search(count)]) as here:
        assert (await here.ended(await here.start(tools=BOTH[:1]))).status == "completed"
    assert most == PARALLEL_CALLS


async def test_a_turn_of_both_kinds_asks_the_client_when_the_server_is_done(any_store: Store) -> None:
    gate = Gate()
    turn: Turn = [say("Let me see."), call("weather", city="Rome"), call("search", q="x"), call("weather", city="Oslo")]
    async with world([turn, "Sunny."], tools=[Search(held_by(gate))], store=any_store) as here:
        run = await here.start(tools=[WEATHER, *BOTH[:1]])
        async with within():
            await gate.reached.wait()
        assert (await here.now(run)).status == "in_progress"
        gate.open()
        run = await here.ended(run)
        assert run.status == "requires_action"
        assert run.required_action is not None
        required = run.required_action.submit_tool_outputs.tool_calls
        assert [each.function.arguments for each in required] == ['{"city":"Rome"}', '{"city":"Oslo"}']
        await checked(here, run)
        step = (await here.steps(run))[-1]
        assert step.status == "in_progress"
        assert [type(each) for each in calls_of(step)] == [FunctionToolCall, FileSearchCall, FunctionToolCall]
        searched = calls_of(step)[1]
        with pytest.raises(BadRequest, match="Expected tool outputs for call_ids"):
            await here.project.submit_tool_output(
                run.thread_id,
                run.id,
                [*here.outputs(run), here.outputs(run)[0].__class__(tool_call_id=searched.id, output="")],
            )
        await here.submit(run)
        run = await here.ended(run)
        assert run.status == "completed"
        assert [each[1] for each in told(here.model.requests[1])] == ["Hello", "Let me see.", "sunny", "done", "sunny"]
        await checked(here, run)


async def test_many_rounds_of_a_new_run_never_read_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds, reads, read = 60, list[str](), SqlSteps.of_run

    async def of_run(steps: SqlSteps, run_id: str) -> list[StepRow]:
        reads.append(run_id)
        return await read(steps, run_id)

    monkeypatch.setattr(SqlSteps, "of_run", of_run)
    turns: list[Turn] = [call("search", n=number) for number in range(rounds)]
    async with world([*turns, "Done."], tools=[Search()]) as here:
        run = await here.ended(await here.start(tools=BOTH[:1]))
        assert run.status == "completed"
        assert reads == [], "a run that was never claimed before has an empty journal, which needs no reading"
        assert len(await here.steps(run)) == rounds + 1
        assert len(here.model.requests[-1].messages) == 1 + 2 * rounds
        await checked(here, run)


async def test_ids_that_the_model_repeats_are_made_unique_in_the_run() -> None:
    turns: list[Turn] = [CallAct("search", "{}", "call_0") for _ in range(3)]
    search = Search()
    async with world([*turns, "Done."], tools=[search]) as here:
        await here.ended(await here.start(tools=BOTH[:1]))
        assert len(set(search.began)) == 3
        ids = [each["tool_call_id"] for each in here.model.requests[-1].messages if each["role"] == "tool"]
        assert ids[0] == "call_0"
        assert len(set(ids)) == 3


class TestFailures:
    async def output(self, tool: Search | Execute, name: str = "search") -> tuple[str, str]:
        """The output of a call in the prompt, and the end of the run."""
        async with world([call(name), "Then not."], tools=[tool]) as here:
            run = await here.ended(await here.start(tools=BOTH[:1] if name == "search" else BOTH[1:]))
            await checked(here, run)
            return here.model.requests[1].messages[-1]["content"], run.status

    async def test_a_tool_says_why_it_failed(self) -> None:
        async def fail(call: Call, session: ToolSession) -> str:
            raise ToolError("There is no file of that name.")

        assert await self.output(Search(fail)) == ("The call failed: There is no file of that name.", "completed")

    @pytest.mark.parametrize("error", [ValueError("secret"), asyncio.CancelledError("secret"), TimeoutError("secret")])
    async def test_the_model_reads_only_the_type_of_an_unexpected_error(self, error: BaseException) -> None:
        async def fail(call: Call, session: ToolSession) -> str:
            raise error

        assert await self.output(Search(fail)) == (f"The call failed: {type(error).__name__}.", "completed")

    @pytest.mark.parametrize("stubborn", [False, True])
    async def test_a_tool_that_hangs_is_stopped(self, stubborn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("runstead.engine.execution.tool_call._GRACE", 0.05)
        free = asyncio.Event()

        async def hang(call: Call, session: ToolSession) -> str:
            while not free.is_set():
                try:
                    await free.wait()
                except asyncio.CancelledError:
                    if not stubborn:
                        raise
            return "late"

        said, status = await self.output(Search(hang, timeout=0.05))
        assert (said, status) == ("The call did not finish within 0.05 seconds, and was stopped.", "completed")
        said, status = await self.output(Execute(hang, timeout=0.05), "execute")
        assert said.endswith("was stopped. Its outcome is unknown: it may have had its effects.")
        free.set()

    async def test_an_output_that_is_too_long_is_cut_with_a_note(self) -> None:
        async def shout(call: Call, session: ToolSession) -> str:
            return "x" * (MAX_OUTPUT + 1)

        said, _ = await self.output(Search(shout))
        assert said == "x" * MAX_OUTPUT + "\n[The output was cut: these are the first 100000 of 100001 characters.]"

    async def test_a_result_that_is_too_large_to_show_is_left_out_of_the_step(self) -> None:
        class Talkative(Execute):
            async def run(self, call: Call, session: ToolSession) -> ToolResult:
                shown = CodeInterpreter(input="x", outputs=[LogsOutput(logs="x" * MAX_SHOWN)])
                return ToolResult(output="x", shown=CodeInterpreterCall(id=call.id, code_interpreter=shown))

        async with world([call("execute", code="x"), "Done."], tools=[Talkative()]) as here:
            run = await here.ended(await here.start(tools=BOTH[1:]))
            [shown] = calls_of((await here.steps(run))[0])
            assert shown == Execute().show(Call(id=shown.id, name="execute", arguments='{"code":"x"}'), run)
            await checked(here, run)

    async def test_an_output_with_lone_surrogates_reaches_the_model_with_replacements(self) -> None:
        class Plain(Search):
            async def run(self, call: Call, session: ToolSession) -> ToolResult:
                return ToolResult(output="a\udc00b", shown=self.show(call, session.run))

        assert await self.output(Plain()) == ("a?b", "completed")

    async def test_a_result_that_is_another_calls_is_a_failure(self) -> None:
        class Confused(Search):
            async def run(self, call: Call, session: ToolSession) -> ToolResult:
                shown = FileSearchCall(id="call_x", file_search=FileSearch(ranking_options={}))
                return ToolResult(output="x", shown=shown)

        assert await self.output(Confused()) == ("The call failed: TypeError.", "completed")


class TestStops:
    @pytest.mark.parametrize(("tool", "named"), [(Search, BOTH[:1]), (Execute, BOTH[1:])])
    async def test_a_cancel_stops_the_tool(self, tool: type[Search | Execute], named: Sequence[Tool]) -> None:
        gate, stopped = Gate(), asyncio.Event()

        async def wait(call: Call, session: ToolSession) -> str:
            try:
                return await held_by(gate)(call, session)
            except asyncio.CancelledError:
                stopped.set()
                raise

        served = tool(wait)
        name = served.functions(None)[0].name  # type: ignore[arg-type]
        async with world([call(name)], tools=[served]) as here:
            run = await here.start(tools=named)
            async with within():
                await gate.reached.wait()
                assert (await here.project.cancel(run.thread_id, run.id)).status == "cancelling"
                run = await here.ended(run)
            assert run.status == "cancelled"
            assert stopped.is_set()
            [step] = await here.steps(run)
            assert step.status == "cancelled"
            assert names(await checked(here, run))[-3:] == ["run.cancelling", "run.step.cancelled", "run.cancelled"]

    async def test_a_call_that_ended_before_a_cancel_keeps_its_result(self) -> None:
        gate = Gate()

        async def one_waits(call: Call, session: ToolSession) -> str:
            return await held_by(gate)(call, session) if "2" in call.arguments else "found"

        async with world([[call("search", n=1), call("search", n=2)]], tools=[Search(one_waits)]) as here:
            run = await here.start(tools=BOTH[:1])
            async with within():
                await gate.reached.wait()

            async def first_is_committed() -> bool:
                [step] = await here.steps(run)
                shown = calls_of(step)[0]
                assert isinstance(shown, FileSearchCall)
                return bool(shown.file_search.results)

            await until(first_is_committed)
            await here.project.cancel(run.thread_id, run.id)
            await here.ended(run)
            assert await first_is_committed()
            await checked(here, run)

    @pytest.mark.parametrize(
        ("fields", "status", "seconds"), [({"expires_after": 65}, "expired", 65), ({"max_seconds": 5}, "incomplete", 5)]
    )
    async def test_time_that_is_up_stops_the_tool(self, fields: dict[str, Any], status: str, seconds: int) -> None:
        gate = Gate()
        async with world([call("execute")], tools=[Execute(held_by(gate))]) as here:
            run = await here.start(tools=BOTH[1:], **fields)
            async with within():
                await gate.reached.wait()
                await here.clock.advance(seconds)
                run = await here.ended(run)
            assert run.status == status
            assert [step.status for step in await here.steps(run)] == ["expired"]
            await checked(here, run)

    async def test_a_tool_that_does_not_stop_holds_up_a_cancel_for_a_while_only(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("runstead.engine.execution.tool_call._GRACE", 0.05)
        gate, free, stopped = Gate(), asyncio.Event(), asyncio.Event()

        async def stubborn(call: Call, session: ToolSession) -> str:
            gate.reached.set()
            while not free.is_set():
                try:
                    await free.wait()
                except asyncio.CancelledError:
                    continue
            stopped.set()
            return "late"

        async with world([call("execute", code="x")], tools=[Execute(stubborn)]) as here:
            run = await here.start(tools=BOTH[1:])
            async with within():
                await gate.reached.wait()
                await here.project.cancel(run.thread_id, run.id)
                events = len(await here.events(run))
                free.set()
                await stopped.wait()
            assert (await here.now(run)).status == "cancelled"
            assert len(await checked(here, run)) == events, "what it does then reaches the run no more"


class TestBudgets:
    async def test_calls_of_the_server_count(self) -> None:
        search = Search()
        turns: list[Turn] = [[call("search"), call("search"), usage(5, 5)], [call("search"), usage(5, 5)]]
        async with world(turns, tools=[search]) as here:
            run = await here.ended(await here.start(tools=BOTH[:1], max_tool_calls=2))
            assert run.incomplete_details is not None
            assert (run.status, run.incomplete_details.reason) == ("incomplete", "max_tool_calls")
            assert len(search.began) == 2
            assert run.usage is not None
            assert run.usage.total_tokens == 20
            await checked(here, run)

    async def test_tokens_count_over_all_rounds(self) -> None:
        turns: list[Turn] = [[call("search"), usage(600, 5)], [call("search"), usage(600, 5)], "No."]
        async with world(turns, tools=[Search()]) as here:
            run = await here.ended(await here.start(tools=BOTH[:1], max_prompt_tokens=1000))
            assert run.incomplete_details is not None
            assert run.incomplete_details.reason == "max_prompt_tokens"
            assert len(here.model.requests) == 2
            await checked(here, run)


class TestOffers:
    async def test_a_tool_that_no_adapter_serves_is_refused(self) -> None:
        async with world(["Hello"], tools=[Search()]) as here:
            with pytest.raises(BadRequest, match="The tool 'code_interpreter' is not available on this server"):
                await here.start(tools=BOTH)

    async def test_a_function_may_not_have_the_name_of_a_tools_function(self) -> None:
        async with world(["Hello"], tools=[Search()]) as here:
            mine = FunctionTool(function=Function(name="search"))
            with pytest.raises(BadRequest, match="the function name 'search' belongs to the tool 'file_search'"):
                await here.start(tools=[FileSearchTool(), mine])
            await here.ended(await here.start(tools=[mine]))

    async def test_a_tool_is_forced_by_its_function_until_it_was_called(self) -> None:
        async with world([call("search"), "Done."], tools=[Search(), Execute()]) as here:
            await here.ended(await here.start(tools=BOTH, tool_choice=NamedToolChoice(type="file_search")))
            first, second = [request.tool_choice for request in here.model.requests]
            assert isinstance(first, NamedToolChoice)
            assert first.function
            assert (first.type, first.function.name) == ("function", "search")
            assert second == "auto"
