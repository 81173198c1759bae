"""The interface of runs."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from runstead.interface.page import PageOf
from runstead.wire.event import Event
from runstead.wire.run import Run, RunId, RunRequest, ThreadRunRequest
from runstead.wire.run_step import Include, RunStep, RunStepId
from runstead.wire.struct import UNSET, Metadata, SortOrder, UnsetType
from runstead.wire.thread import ThreadId
from runstead.wire.tool import ToolOutput

__all__ = ["Runs"]


class Runs(Protocol):
    """Runs: executions of an assistant on a thread.

    A run is durable once it is created: it continues after its caller disconnects and after a crash of the machine.
    An unknown id raises `NotFound`, an id of another kind `BadRequest`. `include` requests the content of file search
    results, which steps do not show otherwise.
    """

    async def create_run(self, thread_id: ThreadId, request: RunRequest, include: Sequence[Include] = ()) -> Run:
        """Create a run, and return it `queued` without waiting for it.

        Fields that the request leaves open are copied from the assistant, and stay as they are when the assistant
        changes. Additional messages are added to the thread in the same transaction.

        `on_busy` decides what happens while another run of the thread is active. `reject` raises `BadRequest`.
        `enqueue` queues the run behind the active one and those that are queued already. `interrupt` cancels the active
        run and puts this one next. Without `on_busy`, that of the thread applies, else that of the server.

        `BadRequest` also if the thread has no message and there are no instructions, if fields do not fit together, or
        if this server lacks one of the tools. `RateLimited` if the project has too many queued runs.
        """
        ...

    def create_streaming_run(
        self, thread_id: ThreadId, request: RunRequest, include: Sequence[Include] = ()
    ) -> AsyncIterator[Event]:
        """Create a run, and stream its events until it ends or waits for tool outputs.

        As `create_run` otherwise. Closing the stream does not stop the run; `run_events` continues it.
        """
        ...

    async def get_run(self, thread_id: ThreadId, run_id: RunId) -> Run:
        """Return a run."""
        ...

    async def update_run(
        self, thread_id: ThreadId, run_id: RunId, metadata: Metadata | None | UnsetType = UNSET
    ) -> Run:
        """Update the metadata of a run, in any status.

        The new metadata replaces the old; absent metadata stays, and `None` clears it.
        """
        ...

    async def runs(
        self,
        thread_id: ThreadId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: RunId | None = None,
        before: RunId | None = None,
    ) -> PageOf[Run]:
        """List the runs of a thread, newest first by default.

        `limit` is from 1 to 100. `after` and `before` are ids, exclusive and relative to the order.
        """
        ...

    async def submit_tool_output(self, thread_id: ThreadId, run_id: RunId, output: Sequence[ToolOutput]) -> Run:
        """Submit the outputs of all calls that a run in `requires_action` waits for, and return it `queued`.

        `BadRequest` in any other status, after the run's deadline, and if an output is missing, duplicate or of an
        unknown call. Nothing is stored then.
        """
        ...

    def submit_streaming_tool_output(
        self, thread_id: ThreadId, run_id: RunId, output: Sequence[ToolOutput]
    ) -> AsyncIterator[Event]:
        """Submit tool outputs, and stream the events that follow until the run ends or waits again.

        As `submit_tool_output` otherwise.
        """
        ...

    async def cancel(self, thread_id: ThreadId, run_id: RunId) -> Run:
        """Cancel a run, and return it `cancelling`. It is `cancelled` soon after.

        The text of the run stays, in a message that is `incomplete`. `BadRequest` if the run has ended or is
        `cancelling` already.
        """
        ...

    async def create_thread_run(self, request: ThreadRunRequest) -> Run:
        """Create a thread and a run on it, in one transaction.

        Errors as in `create_run`.
        """
        ...

    def create_streaming_thread_run(self, request: ThreadRunRequest) -> AsyncIterator[Event]:
        """Create a thread and a run on it, and stream the events, beginning with `thread.created`.

        As `create_streaming_run` otherwise.
        """
        ...

    async def run_step(
        self, thread_id: ThreadId, run_id: RunId, step_id: RunStepId, include: Sequence[Include] = ()
    ) -> RunStep:
        """Return a step of a run."""
        ...

    async def run_steps(
        self,
        thread_id: ThreadId,
        run_id: RunId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: RunStepId | None = None,
        before: RunStepId | None = None,
        include: Sequence[Include] = (),
    ) -> PageOf[RunStep]:
        """List the steps of a run, newest first by default.

        A run has no steps before its model begins to answer. `limit` is from 1 to 100. `after` and `before` are ids,
        exclusive and relative to the order.
        """
        ...

    def run_events(
        self, thread_id: ThreadId, run_id: RunId, after: str | None = None, include: Sequence[Include] = ()
    ) -> AsyncIterator[Event]:
        """Stream the events of a run, from its first or from the one after the event with the id `after`.

        The run may be active or have ended. The stream ends when the run has ended or waits for tool outputs. Deltas of
        a message that is complete are not repeated: the event that completed it has the whole text. The original API
        has no such call. `BadRequest` if `after` is not the id of an event.
        """
        ...
