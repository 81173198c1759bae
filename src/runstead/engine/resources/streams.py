"""The streaming half of `interface.Runs`: start or resume a run, and follow its events."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

import msgspec

from runstead.domain import ids
from runstead.domain.idempotency import Replay
from runstead.engine.follow import follow
from runstead.engine.resources.runs import Runs
from runstead.interface.streams import (
    CreateRunStream,
    CreateThreadRunStream,
    RunEventStream,
    StreamCall,
    SubmitToolOutputStream,
)
from runstead.wire.codec.response import read_event
from runstead.wire.event import START, Event, Position, RawEvent
from runstead.wire.run import Run, RunRequest, ThreadRunRequest
from runstead.wire.run_step import Include
from runstead.wire.tool import ToolOutput

__all__ = ["Streams"]


class _Begun(msgspec.Struct):
    """The run of a reply."""

    id: str
    thread_id: str


_decode = msgspec.json.Decoder(_Begun).decode


class Streams(Runs):
    """Implements all of `interface.Runs`."""

    async def stream(self, call: StreamCall) -> AsyncGenerator[Sequence[RawEvent]]:
        """The events of a streaming call, encoded as they are stored. Events that are available together are a batch.

        The errors of the call are raised before the first batch, which is empty.
        """
        if isinstance(call, SubmitToolOutputStream | RunEventStream):
            run_id = call.run_id
            ids.check(thread_id=call.thread_id, run_id=run_id)  # an invalid id must not reach the broker
        else:
            run_id = self._adapters.new_id("run")  # chosen here, to subscribe before the run is stored
        async with self._adapters.broker.subscribe(run_id) as live:
            run, after, replay = await self._begin(call, run_id)
            yield ()
            include = _included(call)
            events_of_run = follow(self._adapters, run, after, live, replay=replay, include=include)
            async with aclosing(events_of_run) as followed:
                async for events in followed:
                    yield events
                    del events

    def again(self, repeated: Replay, call: StreamCall) -> AsyncGenerator[Sequence[RawEvent]]:
        """The events of a streaming call that was carried out before, from where they began then."""
        run = _decode(repeated.answer)
        return self.stream(RunEventStream(run.thread_id, run.id, str(Position(repeated.seq)), _included(call)))

    def create_streaming_run(
        self, thread_id: str, request: RunRequest, include: Sequence[Include] = ()
    ) -> AsyncIterator[Event]:
        return self._events(CreateRunStream(thread_id, request, include))

    def create_streaming_thread_run(self, request: ThreadRunRequest) -> AsyncIterator[Event]:
        return self._events(CreateThreadRunStream(request))

    def submit_streaming_tool_output(
        self, thread_id: str, run_id: str, output: Sequence[ToolOutput]
    ) -> AsyncIterator[Event]:
        return self._events(SubmitToolOutputStream(thread_id, run_id, output))

    def run_events(
        self, thread_id: str, run_id: str, after: str | None = None, include: Sequence[Include] = ()
    ) -> AsyncIterator[Event]:
        return self._events(RunEventStream(thread_id, run_id, after, include))

    async def _events(self, call: StreamCall) -> AsyncIterator[Event]:
        async with aclosing(self.stream(call)) as batches:
            async for events in batches:
                for event in events:
                    yield read_event(event)

    async def _begin(self, call: StreamCall, run_id: str) -> tuple[Run, Position, bool]:
        """Carry out what the call asks for. The run, the position to follow from, and whether older events are
        replayed.
        """
        match call:
            case CreateRunStream(thread_id, request, _):
                return await self._create_on_thread(thread_id, request, run_id), START, False
            case CreateThreadRunStream(request):
                return await self._create_with_thread(request, run_id), START, False
            case SubmitToolOutputStream(thread_id, _, output):
                run, seq = await self._submit(thread_id, run_id, output)
                return run, Position(seq), False
            case RunEventStream(thread_id, _, after, _):
                run = (await self._row(thread_id, run_id)).run
                return run, (START if after is None else Position.parse(after)), True


def _included(call: StreamCall) -> Sequence[Include]:
    """The optional content that a call asks for."""
    return call.include if isinstance(call, CreateRunStream | RunEventStream) else ()
