# Generated from src/runstead/client/_async/drive.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""A run with the caller's own functions as its tools, through all rounds to its end."""

from collections.abc import Callable, Generator
from contextlib import closing

from msgspec.structs import replace

from runstead.client._sync.follow import follow
from runstead.client._sync.transport import Transport
from runstead.client._sync.watch import LACKING, Watch
from runstead.client.calling_sync import ToolCaller
from runstead.client.deadline import Deadline
from runstead.client.standing import Standing, StreamCall, events_of
from runstead.wire.endpoints import runs as endpoint
from runstead.wire.endpoints.assistants import GET_ASSISTANT
from runstead.wire.error import ApiError, BadRequest, Unreachable, WaitTimeout
from runstead.wire.event import Event, EventName
from runstead.wire.run import RequiredAction, Run, RunRequest, Status, ToolOutputs
from runstead.wire.struct import UNSET

__all__ = ["Driver"]

MOST_SUBMISSIONS = 3
"""How often the same outputs are handed in, when each time the connection breaks before they arrive."""


class Driver:
    """Follows one run, answers its tool calls, and goes on following."""

    def __init__(
        self,
        transport: Transport,
        caller: ToolCaller,
        deadline: Deadline,
        max_rounds: int,
        sleep: Callable[[float], None],
    ) -> None:
        self._transport = transport
        self._caller = caller
        self._deadline = deadline
        self._rounds_left = max_rounds
        self._sleep = sleep
        self._standing = Standing()
        self._run: Run | None = None
        self._answered: RequiredAction | None = None
        self._submission: StreamCall | None = None
        """The outputs that were handed in, until the run is seen to ask for them no more."""
        self._submissions = 0
        self._refused: BadRequest | None = None

    def start(self, thread_id: str, request: RunRequest) -> Generator[Event]:
        """Create a run and drive it: its events from first to last, over all rounds."""
        if request.tools is UNSET:
            path = {"assistant_id": request.assistant_id}
            assistant = self._transport.call(GET_ASSISTANT, path, deadline=self._deadline)
            request = replace(request, tools=self._caller.toolbox.beside(assistant.tools))
        call = StreamCall(endpoint.CREATE_RUN, {"thread_id": thread_id}, body=request)
        with closing(self._driven(call)) as events:
            yield from events

    def take_up(self, run: Run) -> Generator[Event]:
        """Drive a run that exists, from where it stands."""
        path = {"thread_id": run.thread_id, "run_id": run.id}
        self._run = self._transport.call(endpoint.GET_RUN, path, deadline=self._deadline)
        self._standing = Standing(run.thread_id, run.id)
        call = None
        if self._run.status.pausing:
            yield _event_of(self._run)
        else:
            call = self._onwards(self._run)
        with closing(self._driven(call)) as events:
            yield from events

    def _driven(self, call: StreamCall | None) -> Generator[Event]:
        """The events of a call, then those of what is to be done next, and so on until there is nothing."""
        try:
            call = call or self._next()
            while call is not None:
                trouble: Exception | None = None
                try:
                    with closing(self._followed(call)) as events:
                        yield from events
                except (ApiError, Unreachable) as error:
                    trouble = error
                if trouble is not None and call.endpoint is not endpoint.RUN_EVENTS:
                    call = self._instead(call, trouble)
                    continue
                if trouble is not None:
                    yield self._watched(trouble)
                call = self._next()
        except WaitTimeout as error:
            raise _timed_out(self._run, self._deadline) from error

    def _followed(self, call: StreamCall) -> Generator[Event]:
        """The events of a call, noting what the run has become."""
        events = follow(self._transport, call, self._standing, self._sleep, self._deadline)
        with closing(events):
            for event in events:
                if isinstance(event.data, Run):
                    self._note(event.data)
                yield event

    def _note(self, run: Run) -> None:
        self._run = run
        if run.required_action != self._answered:
            self._submission = None

    def _next(self) -> StreamCall | None:
        """What is to be done now that the run has paused: hand in outputs, or nothing."""
        run = self._run
        if run is None or run.status is not Status.REQUIRES_ACTION or run.required_action is None:
            return None
        if self._submission is not None:
            return self._again(run)
        if self._rounds_left == 0:
            return None
        self._rounds_left -= 1
        outputs = self._caller.answer(run.required_action.submit_tool_outputs.tool_calls, self._deadline)
        path = {"thread_id": run.thread_id, "run_id": run.id}
        self._transport = self._transport.once(None)  # the caller's key was for the run
        self._submission = StreamCall(endpoint.SUBMIT_TOOL_OUTPUT, path, body=ToolOutputs(output=outputs))
        self._answered, self._submissions, self._refused = run.required_action, 1, None
        return self._submission

    def _again(self, run: Run) -> StreamCall | None:
        """The same outputs once more: the run still waits for them, so they got lost on the way."""
        if self._refused is not None:
            raise self._refused
        if self._submissions == MOST_SUBMISSIONS:
            raise Unreachable(f"The tool outputs for run {run.id} did not get through.")
        self._submissions += 1
        return self._submission

    def _instead(self, call: StreamCall, trouble: Exception) -> StreamCall:
        """What to do when a call got lost, or someone else was first: see what the run does."""
        if self._run is not None and isinstance(trouble, Unreachable):
            return self._onwards(self._run)
        if self._run is not None and call is self._submission and isinstance(trouble, BadRequest):
            self._refused = trouble
            return self._onwards(self._run)
        raise trouble

    def _onwards(self, run: Run) -> StreamCall:
        """The call for the events behind the last one."""
        self._standing.from_start = self._standing.last is None
        return events_of(run.thread_id, run.id, self._standing.last)

    def _watched(self, trouble: Exception) -> Event:
        """What the run became, on a server where its events cannot be followed."""
        if self._run is None or not isinstance(trouble, ApiError) or trouble.status not in LACKING:
            raise trouble
        run = Watch(self._transport, self._run, self._deadline, self._sleep).paused()
        self._note(run)
        return _event_of(run)


def _event_of(run: Run) -> Event:
    """What a stream would have told of the run as it is."""
    return Event(event=EventName(f"thread.run.{run.status}"), data=run)


def _timed_out(run: Run | None, deadline: Deadline) -> WaitTimeout:
    seen = "no run was seen" if run is None else f"run {run.id} was {run.status} when it was last seen. It goes on."
    return WaitTimeout(f"After {deadline.seconds:g} s {seen}")
