"""The streaming half of `interface.Runs`: start or go on, and follow."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from runstead.domain.idempotency import Replay
from runstead.engine.follow import follow
from runstead.engine.resources.runs import Runs
from runstead.wire.codec.lenient import read_event
from runstead.wire.event import START, Event, Position, RawEvent
from runstead.wire.run import RunRequest, ThreadRunRequest
from runstead.wire.run_step import Include
from runstead.wire.tool import ToolOutput

__all__ = ["Streams"]


class _Begun(msgspec.Struct):
    """What a reply says of the run that it is."""

    id: str
    thread_id: str


_decode = msgspec.json.Decoder(_Begun).decode


class Streams(Runs):
    """Implements all of `interface.Runs`."""

    async def stream(self, name: str, **arguments: Any) -> AsyncGenerator[Sequence[RawEvent]]:
        """The events of a streaming method, by its name, as they are kept: in batches, encoded.

        What is wrong with the request is raised before the first batch; an empty one says that nothing is.
        """
        broker = self._adapters.broker
        run_id = arguments.get("run_id") or self._adapters.new_id("run")
        async with broker.subscribe(run_id) as live:
            after, replay = await self._begin(name, run_id, arguments)
            yield ()
            async with aclosing(follow(self._adapters, run_id, after, live, replay=replay)) as followed:
                async for events in followed:
                    yield events

    def again(self, repeated: Replay) -> AsyncGenerator[Sequence[RawEvent]]:
        """The events of a streaming call that was made before, from where they began then."""
        run = _decode(repeated.answer)
        after = str(Position(repeated.seq))
        return self.stream("run_events", thread_id=run.thread_id, run_id=run.id, after=after)

    async def create_streaming_run(
        self, thread_id: str, request: RunRequest, include: Sequence[Include] = ()
    ) -> AsyncIterator[Event]:
        async for event in self._events("create_streaming_run", thread_id=thread_id, request=request):
            yield event

    async def create_streaming_thread_run(self, request: ThreadRunRequest) -> AsyncIterator[Event]:
        async for event in self._events("create_streaming_thread_run", request=request):
            yield event

    async def submit_streaming_tool_output(
        self, thread_id: str, run_id: str, output: Sequence[ToolOutput]
    ) -> AsyncIterator[Event]:
        arguments = {"thread_id": thread_id, "run_id": run_id, "output": output}
        async for event in self._events("submit_streaming_tool_output", **arguments):
            yield event

    async def run_events(self, thread_id: str, run_id: str, after: str | None = None) -> AsyncIterator[Event]:
        async for event in self._events("run_events", thread_id=thread_id, run_id=run_id, after=after):
            yield event

    async def _events(self, name: str, **arguments: Any) -> AsyncIterator[Event]:
        async with aclosing(self.stream(name, **arguments)) as batches:
            async for events in batches:
                for event in events:
                    yield read_event(event)

    async def _begin(self, name: str, run_id: str, arguments: dict[str, Any]) -> tuple[Position, bool]:
        """Do what a streaming method does first: from where to follow, and whether what comes is told again."""
        match name:
            case "create_streaming_run":
                await self._create(arguments["thread_id"], arguments["request"], run_id)
                return START, False
            case "create_streaming_thread_run":
                await self._create_with_thread(arguments["request"], run_id)
                return START, False
            case "submit_streaming_tool_output":
                _, seq = await self._submit(**arguments)
                return Position(seq), False
            case "run_events":
                after = arguments.get("after")
                await self._row(arguments["thread_id"], run_id)
                return (START if after is None else Position.parse(after)), True
            case _:
                raise ValueError(f"no streaming method is called {name}")
