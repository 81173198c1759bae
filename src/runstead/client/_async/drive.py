"""A run with the caller's own functions as its tools, through all rounds to its end."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from msgspec.structs import replace

from runstead.client._async.follow import follow
from runstead.client._async.transport import AsyncTransport
from runstead.client._async.watch import LACKING, AsyncWatch
from runstead.client.calling_async import AsyncToolCaller
from runstead.client.deadline import Deadline
from runstead.client.standing import Standing, StreamCall, events_of
from runstead.wire import endpoint
from runstead.wire.error import ApiError, BadRequest, Unreachable, WaitTimeout
from runstead.wire.event import Event
from runstead.wire.run import Run, RunRequest, Status, ToolOutputs
from runstead.wire.struct import UNSET
from runstead.wire.tool import RequiredFunctionCall, ToolOutput

__all__ = ["AsyncDriver"]

MOST_SUBMISSIONS = 3
"""How often the same outputs are sent when each time the connection breaks."""


class AsyncDriver:
    """Follows one run, answers its tool calls, and goes on following."""

    def __init__(
        self,
        transport: AsyncTransport,
        caller: AsyncToolCaller,
        deadline: Deadline,
        max_rounds: int,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._transport = transport
        self._caller = caller
        self._deadline = deadline
        self._rounds_left = max_rounds
        self._sleep = sleep
        self._standing = Standing()
        self._run: Run | None = None
        self._refused: BadRequest | None = None

    async def start(self, thread_id: str, request: RunRequest) -> AsyncGenerator[Event]:
        """Create a run and drive it: its events from first to last, over all rounds."""
        if request.tools is UNSET:
            path = {"assistant_id": request.assistant_id}
            assistant = await self._transport.call(endpoint.GET_ASSISTANT, path, deadline=self._deadline)
            request = replace(request, tools=self._caller.toolbox.beside(assistant.tools))
        call = StreamCall(endpoint.CREATE_RUN, {"thread_id": thread_id}, body=request)
        async with aclosing(self._driven(self._events(call))) as events:
            async for event in events:
                yield event

    async def take_up(self, run: Run) -> AsyncGenerator[Event]:
        """Drive a run that exists, from where it stands."""
        path = {"thread_id": run.thread_id, "run_id": run.id}
        self._run = await self._transport.call(endpoint.GET_RUN, path, deadline=self._deadline)
        self._standing = Standing(run.thread_id, run.id)
        async with aclosing(self._driven(self._rest())) as events:
            async for event in events:
                yield event

    async def _driven(self, first: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
        """The events until the run pauses, then a round of tool calls and its events, and so on."""
        try:
            async with aclosing(first) as events:
                async for event in events:
                    yield event
            while (calls := _required(self._run)) and self._rounds_left:
                self._rounds_left -= 1
                outputs = await self._caller.answer(calls, self._deadline)
                async with aclosing(self._round(calls, outputs)) as events:
                    async for event in events:
                        yield event
        except WaitTimeout as error:
            raise _timed_out(self._run, self._deadline) from error

    async def _round(self, calls: list[RequiredFunctionCall], outputs: list[ToolOutput]) -> AsyncGenerator[Event]:
        """Hand in the outputs, again if that got lost, and give the events that follow."""
        assert self._run is not None
        path = {"thread_id": self._run.thread_id, "run_id": self._run.id}
        call = StreamCall(endpoint.SUBMIT_TOOL_OUTPUT, path, body=ToolOutputs(output=outputs))
        for _ in range(MOST_SUBMISSIONS):
            async with aclosing(self._events(call)) as events:
                async for event in events:
                    yield event
            if _required(self._run) != calls:
                return
            if self._refused is not None:
                raise self._refused
        raise Unreachable(f"The tool outputs for run {self._run.id} did not get through.")

    async def _events(self, call: StreamCall) -> AsyncGenerator[Event]:
        """The events of a call. If it got lost, or someone else was first, those of the run from here on."""
        self._refused = None
        try:
            async with aclosing(self._followed(call)) as events:
                async for event in events:
                    yield event
            return
        except Unreachable:
            if self._run is None:
                raise
        except BadRequest as error:
            if call.endpoint is not endpoint.SUBMIT_TOOL_OUTPUT:
                raise
            self._refused = error
        async with aclosing(self._rest()) as events:
            async for event in events:
                yield event

    async def _rest(self) -> AsyncGenerator[Event]:
        """The events behind the last one; from a server that has no such call, only what the run became."""
        assert self._run is not None
        call = events_of(self._run.thread_id, self._run.id, self._standing.last)
        self._standing.from_start = self._standing.last is None
        try:
            async with aclosing(self._followed(call)) as events:
                async for event in events:
                    yield event
        except ApiError as error:
            if error.status not in LACKING:
                raise
            self._run = await AsyncWatch(self._transport, self._run, self._deadline, self._sleep).paused()
            yield Event(event=f"thread.run.{self._run.status}", data=self._run)

    async def _followed(self, call: StreamCall) -> AsyncGenerator[Event]:
        """The events of a call, noting what the run has become."""
        events = follow(self._transport, call, self._standing, self._sleep, self._deadline)
        async with aclosing(events):
            async for event in events:
                if isinstance(event.data, Run):
                    self._run = event.data
                yield event


def _required(run: Run | None) -> list[RequiredFunctionCall]:
    """The calls that a run waits for."""
    if run is None or run.status is not Status.REQUIRES_ACTION or run.required_action is None:
        return []
    return run.required_action.submit_tool_outputs.tool_calls


def _timed_out(run: Run | None, deadline: Deadline) -> WaitTimeout:
    seen = "no run was seen" if run is None else f"run {run.id} was {run.status} when it was last seen. It goes on."
    return WaitTimeout(f"After {deadline.seconds:g} s {seen}")
