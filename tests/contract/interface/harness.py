"""The interface under test, and the scripted model behind it."""

from collections.abc import Sequence
from typing import Any

from runstead.interface import Interface
from runstead.llm.scripted import ScriptedModel, Turn
from runstead.wire.assistant import AssistantRequest
from runstead.wire.event import Event
from runstead.wire.message import Message, MessageRequest
from runstead.wire.run import Run, RunRequest
from runstead.wire.run_step import RunStep
from runstead.wire.struct import SortOrder
from runstead.wire.thread import ThreadRequest
from runstead.wire.tool import Function, FunctionTool, Tool, ToolOutput
from tests.support.waiting import within

__all__ = ["WEATHER", "Harness", "outputs"]

WEATHER = FunctionTool(function=Function(name="weather"))


def outputs(run: Run, output: str = "sunny") -> list[ToolOutput]:
    """The same output for every required call of the run."""
    assert run.required_action is not None
    calls = run.required_action.submit_tool_outputs.tool_calls
    return [ToolOutput(tool_call_id=call.id, output=output) for call in calls]


class Harness:
    """The interface of one deployment, with short forms of common calls."""

    def __init__(self, rs: Interface, model: ScriptedModel, turns: list[Turn]) -> None:
        self.rs = rs
        self.model = model
        self._turns = turns

    def answers(self, *turns: Turn) -> None:
        """The model's next turns. After them it answers "Hello!"."""
        self._turns += turns

    async def assistant(self, tools: Sequence[Tool] = (), **fields: Any) -> str:
        request = AssistantRequest(model="some-model", tools=list(tools), **fields)
        return (await self.rs.create_assistant(request)).id

    async def thread(self, *said: str) -> str:
        messages = [MessageRequest(role="user", content=text) for text in said]
        return (await self.rs.create_thread(ThreadRequest(messages=messages))).id

    async def start(self, tools: Sequence[Tool] = (), **fields: Any) -> Run:
        """A new run on a new thread with one message."""
        request = RunRequest(assistant_id=await self.assistant(tools), **fields)
        return await self.rs.create_run(await self.thread("Hi"), request)

    async def events(self, run: Run, after: str | None = None) -> list[Event]:
        async with within():
            return [event async for event in self.rs.run_events(run.thread_id, run.id, after)]

    async def ended(self, run: Run) -> Run:
        """The run, after it has ended or reached `requires_action`."""
        await self.events(run)
        return await self.rs.get_run(run.thread_id, run.id)

    async def messages(self, run: Run) -> list[Message]:
        """The messages of the run's thread, oldest first."""
        return list((await self.rs.messages(run.thread_id, order=SortOrder.ASC)).data)

    async def steps(self, run: Run) -> list[RunStep]:
        """The steps of the run, oldest first."""
        return list((await self.rs.run_steps(run.thread_id, run.id, order=SortOrder.ASC)).data)
