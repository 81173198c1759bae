"""A whole application in one line: real store, real broker, a model that follows a script, a clock that stands still.

async with world(["Hello!"]) as here:
    run = await here.start("Hi")
    assert (await here.ended(run)).status == "completed"
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from runstead.blobs.local import LocalBlobs
from runstead.blobs.port import Blobs
from runstead.broker.inprocess import InProcessBroker
from runstead.broker.port import Broker
from runstead.engine.adapters import Adapters, Clock
from runstead.engine.limits import Limits
from runstead.engine.resources.caller import Caller
from runstead.engine.resources.project import Project
from runstead.llm.port import ChatModel
from runstead.llm.scripted import Script, ScriptedModel
from runstead.outbound.http import HttpOutbound
from runstead.store.port import RunRow, Store
from runstead.store.sqlite import SqliteStore
from runstead.wire.assistant import AssistantRequest
from runstead.wire.codec.response import read_event
from runstead.wire.codec.run_parts import Settings, encode_settings
from runstead.wire.content import TextPart
from runstead.wire.event import EVENT_DATA, Event
from runstead.wire.message import Message, MessageRequest
from runstead.wire.run import Run, RunRequest
from runstead.wire.run_step import RunStep
from runstead.wire.struct import SortOrder
from runstead.wire.thread import ThreadRequest
from runstead.wire.tool import Function, FunctionTool, Tool, ToolOutput
from runstead.worker.application import Application, run
from runstead.worker.worker import Worker
from tests.support.callers import entered
from tests.support.clock import ManualClock
from tests.support.waiting import within

__all__ = ["WEATHER", "World", "adapters_of", "names", "text_of", "world"]

WEATHER = FunctionTool(function=Function(name="weather", description="Tells the weather of a city."))
_LOOPS = 7
"""Tasks that sleep between two looks: claiming, interrupts, and maintenance. A shared store adds one for workers."""
_KEY = b"the secret signing key of this test server"


class World:
    """A running application, with the calls that tests repeat."""

    def __init__(
        self, application: Application, caller: Caller, adapters: Adapters, model: ScriptedModel | None
    ) -> None:
        self.application = application
        self.adapters = adapters
        self.project: Project = caller.project
        self._model = model

    @property
    def model(self) -> ScriptedModel:
        """The model, with its recorded requests."""
        assert self._model is not None
        return self._model

    @property
    def worker(self) -> Worker:
        """The worker that executes the runs."""
        assert self.application._worker is not None
        return self.application._worker

    @property
    def clock(self) -> ManualClock:
        """The clock, to be advanced."""
        assert isinstance(self.adapters.clock, ManualClock)
        return self.adapters.clock

    async def assistant(self, tools: Sequence[Tool] = (), **fields: Any) -> str:
        """The id of a new assistant."""
        request = AssistantRequest(model="some-model", tools=list(tools), **fields)
        return (await self.project.create_assistant(request)).id

    async def thread(self, *said: str) -> str:
        """The id of a new thread on which the user said this."""
        messages = [MessageRequest(role="user", content=text) for text in said]
        return (await self.project.create_thread(ThreadRequest(messages=messages))).id

    async def start(self, *said: str, tools: Sequence[Tool] = (), **fields: Any) -> Run:
        """A new run, on a new thread on which the user said this."""
        thread_id = await self.thread(*said or ("Hello",))
        return await self.project.create_run(thread_id, RunRequest(assistant_id=await self.assistant(tools), **fields))

    async def again(self, run: Run, **fields: Any) -> Run:
        """Another run of the same assistant on the same thread."""
        return await self.project.create_run(run.thread_id, RunRequest(assistant_id=run.assistant_id, **fields))

    async def now(self, run: Run) -> Run:
        """The run as it is now."""
        return await self.project.get_run(run.thread_id, run.id)

    async def row(self, run: Run) -> RunRow:
        """The run's row as the store has it now."""
        row = await self.adapters.store.read(lambda tx: tx.runs.load(run.id))
        assert row is not None
        return row

    async def events(self, run: Run, after: str | None = None) -> list[Event]:
        """The run's events after a position, until it ends or waits for the client."""
        async with within():
            return [event async for event in self.project.run_events(run.thread_id, run.id, after)]

    async def stored(self, run: Run) -> list[Event]:
        """The run's stored events, as a reader sees them."""
        known = Settings(encode_settings(run))
        events = await self.adapters.store.read(lambda tx: tx.events.after(run.id, 0, 1000))
        return [
            read_event(each._replace(data=known.whole(each.data)) if EVENT_DATA[each.name] is Run else each)
            for each in events
        ]

    async def ended(self, run: Run) -> Run:
        """The run, once it has ended or waits for the client."""
        await self.events(run)
        return await self.now(run)

    async def submit(self, run: Run, output: str = "sunny") -> Run:
        """Give every call of the run the same output."""
        return await self.project.submit_tool_output(run.thread_id, run.id, self.outputs(run, output))

    def outputs(self, run: Run, output: str = "sunny") -> list[ToolOutput]:
        """The same output for every call that the run waits for."""
        assert run.required_action is not None
        calls = run.required_action.submit_tool_outputs.tool_calls
        return [ToolOutput(tool_call_id=call.id, output=output) for call in calls]

    async def steps(self, run: Run) -> list[RunStep]:
        """All steps of the run, oldest first."""
        page = await self.project.run_steps(run.thread_id, run.id, 100, SortOrder.ASC)
        return list(page.data)

    async def messages(self, run: Run) -> list[Message]:
        """The messages of the run's thread, oldest first."""
        page = await self.project.messages(run.thread_id, 100, SortOrder.ASC)
        return list(page.data)

    async def written(self, run: Run) -> list[Message]:
        """The messages of the run, oldest first."""
        page = await self.project.messages(run.thread_id, 100, SortOrder.ASC, run_id=run.id)
        return list(page.data)


def adapters_of(
    script: Script = (),
    *,
    model: ChatModel | None = None,
    path: str | Path = ":memory:",
    store: Store | None = None,
    broker: Broker | None = None,
    blobs: Blobs | None = None,
    clock: Clock | None = None,
    **settings: Any,
) -> Adapters:
    """The adapters of an application. `settings` are fields of `Adapters` and `Limits`."""
    limits = {name: settings.pop(name) for name in Limits.__struct_fields__ if name in settings}
    webhooks: dict[str, Any] = {"outbound": HttpOutbound(allow_private=True), "secret": lambda: _KEY}
    return Adapters(
        store=store or SqliteStore(path),
        broker=broker or InProcessBroker(),
        blobs=blobs or LocalBlobs(None),
        model=model or ScriptedModel(script),
        clock=clock or ManualClock(),
        limits=Limits(**limits),
        **webhooks | settings,
    )


@asynccontextmanager
async def world(script: Script = (), *, slots: int = 5000, **outside: Any) -> AsyncIterator[World]:
    """A running application. `outside` is passed to `adapters_of`."""
    adapters = adapters_of(script, **outside)
    model = adapters.model if isinstance(adapters.model, ScriptedModel) else None
    clock = adapters.clock if isinstance(adapters.clock, ManualClock) else None
    sleepers = clock.sleepers if clock else 0
    async with run(adapters, slots=slots) as application:
        if clock:
            loops = _LOOPS + adapters.store.shared + (adapters.retrieval is not None) - (slots == 0)
            await clock.wait_for_sleepers(sleepers + loops)
        yield World(application, await entered(application), adapters, model)


def names(events: Sequence[Event]) -> list[str]:
    """The names of events without their `thread.` prefix. Consecutive deltas of one kind count as one."""
    shown = [event.event.removeprefix("thread.") for event in events]
    return [name for place, name in enumerate(shown) if place == 0 or shown[place - 1] != name or "delta" not in name]


def text_of(message: Message) -> str:
    """The text of a message."""
    return "".join(part.text.value for part in message.content if isinstance(part, TextPart))
