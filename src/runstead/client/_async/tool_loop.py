"""The tool loop: a run with the caller's own functions as its tools, through all rounds of calls to its end."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from msgspec.structs import replace

from runstead.client._async.reconnect import follow
from runstead.client._async.transport import AsyncTransport
from runstead.client._async.wait import NOT_SUPPORTED, AsyncRunWait
from runstead.client.deadline import Deadline
from runstead.client.streams.stream_position import StreamCall, StreamPosition, run_events_call
from runstead.client.tools.caller_async import AsyncToolCaller
from runstead.wire.endpoints import runs as endpoint
from runstead.wire.endpoints.assistants import GET_ASSISTANT
from runstead.wire.error import ApiError, BadRequest, Unreachable, WaitTimeout
from runstead.wire.event import Event, EventName
from runstead.wire.run import RequiredAction, Run, RunRequest, Status, ToolOutputs
from runstead.wire.struct import UNSET

__all__ = ["AsyncToolLoop"]

MAX_SUBMISSIONS = 3
"""How often the same outputs are submitted, if each time the connection breaks before they arrive."""


class AsyncToolLoop:
    """Follows one run, calls the tools that it asks for, submits the outputs, and follows it again."""

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
        self._position = StreamPosition()
        self._run: Run | None = None
        self._answered: RequiredAction | None = None
        self._submission: StreamCall | None = None
        """The submitted outputs, until the run is seen without that required action."""
        self._submissions = 0
        self._refused: BadRequest | None = None

    async def start(self, thread_id: str, request: RunRequest) -> AsyncGenerator[Event]:
        """Create a run and drive it: its events from first to last, over all rounds."""
        if request.tools is UNSET:
            path = {"assistant_id": request.assistant_id}
            assistant = await self._transport.call(GET_ASSISTANT, path, deadline=self._deadline)
            request = replace(request, tools=self._caller.toolbox.merged_with(assistant.tools))
        call = StreamCall(endpoint.CREATE_RUN, {"thread_id": thread_id}, body=request)
        async with aclosing(self._rounds(call)) as events:
            async for event in events:
                yield event

    async def take_up(self, run: Run) -> AsyncGenerator[Event]:
        """Drive an existing run from its present state."""
        path = {"thread_id": run.thread_id, "run_id": run.id}
        self._run = await self._transport.call(endpoint.GET_RUN, path, deadline=self._deadline)
        self._position = StreamPosition(run.thread_id, run.id)
        call = None
        if self._run.status.pausing:
            yield _event_of(self._run)
        else:
            call = self._resume(self._run)
        async with aclosing(self._rounds(call)) as events:
            async for event in events:
                yield event

    async def _rounds(self, call: StreamCall | None) -> AsyncGenerator[Event]:
        """The events of a call, then those of each submission, until the run needs nothing more."""
        try:
            call = call or await self._next()
            while call is not None:
                failure: Exception | None = None
                try:
                    async with aclosing(self._follow(call)) as events:
                        async for event in events:
                            yield event
                except (ApiError, Unreachable) as error:
                    failure = error
                if failure is not None and call.endpoint is not endpoint.RUN_EVENTS:
                    call = self._resume_after(failure, call)
                    continue
                if failure is not None:
                    yield await self._wait_after(failure)
                call = await self._next()
        except WaitTimeout as error:
            raise _timed_out(self._run, self._deadline) from error

    async def _follow(self, call: StreamCall) -> AsyncGenerator[Event]:
        """The events of a call. Updates the run as it is seen."""
        events = follow(self._transport, call, self._position, self._sleep, self._deadline)
        async with aclosing(events):
            async for event in events:
                if isinstance(event.data, Run):
                    self._update(event.data)
                yield event

    def _update(self, run: Run) -> None:
        self._run = run
        if run.required_action != self._answered:
            self._submission = None

    async def _next(self) -> StreamCall | None:
        """The call to make for a paused run: its tool outputs. None if it needs none, or after the last round."""
        run = self._run
        if run is None or run.status is not Status.REQUIRES_ACTION or run.required_action is None:
            return None
        if self._submission is not None:
            return self._resubmit(run)
        if self._rounds_left == 0:
            return None
        self._rounds_left -= 1
        outputs = await self._caller.call_all(run.required_action.submit_tool_outputs.tool_calls, self._deadline)
        path = {"thread_id": run.thread_id, "run_id": run.id}
        self._transport = self._transport.once(None)  # the caller's idempotency key was for the run's creation
        self._submission = StreamCall(endpoint.SUBMIT_TOOL_OUTPUT, path, body=ToolOutputs(output=outputs))
        self._answered, self._submissions, self._refused = run.required_action, 1, None
        return self._submission

    def _resubmit(self, run: Run) -> StreamCall | None:
        """The same outputs again: the run still requires them, so the submission was lost."""
        if self._refused is not None:
            raise self._refused
        if self._submissions == MAX_SUBMISSIONS:
            raise Unreachable(f"The tool outputs for run {run.id} could not be submitted.")
        self._submissions += 1
        return self._submission

    def _resume_after(self, failure: Exception, call: StreamCall) -> StreamCall:
        """The call that shows the run's state, after a call was lost or another client submitted outputs first."""
        if self._run is not None and isinstance(failure, Unreachable):
            return self._resume(self._run)
        if self._run is not None and call is self._submission and isinstance(failure, BadRequest):
            self._refused = failure
            return self._resume(self._run)
        raise failure

    def _resume(self, run: Run) -> StreamCall:
        """The call for the events after the last one seen."""
        self._position.from_start = self._position.last is None
        return run_events_call(run.thread_id, run.id, self._position.last)

    async def _wait_after(self, failure: Exception) -> Event:
        """Wait for the run on a server that has no call for its events."""
        if self._run is None or not isinstance(failure, ApiError) or failure.status not in NOT_SUPPORTED:
            raise failure
        run = await AsyncRunWait(self._transport, self._run, self._deadline, self._sleep).until_paused()
        self._update(run)
        return _event_of(run)


def _event_of(run: Run) -> Event:
    """The event that a stream would have sent for the run's status."""
    return Event(event=EventName(f"thread.run.{run.status}"), data=run)


def _timed_out(run: Run | None, deadline: Deadline) -> WaitTimeout:
    seen = "no run was seen" if run is None else f"run {run.id} was {run.status} when it was last seen. It goes on."
    return WaitTimeout(f"After {deadline.seconds:g} s {seen}")
