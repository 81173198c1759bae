"""The heart: an execution run on a thread."""

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
    """An execution run on a thread.

    A run lives by itself once it is created: it goes on when the caller leaves, and after a crash of the machine.
    An unknown thread, run or step is `NotFound`. `include` asks for extra content of file searches.
    """

    async def create_run(self, thread_id: ThreadId, request: RunRequest, include: Sequence[Include] = ()) -> Run:
        """Start a run, and answer at once with it `queued`.

        Model, instructions and tools are taken from the request, else from the assistant, and stay those of this
        moment. While another run of the thread is active it is refused with `BadRequest`, waits in line or interrupts
        that one, as `on_busy` says.
        """
        ...

    def create_streaming_run(
        self, thread_id: ThreadId, request: RunRequest, include: Sequence[Include] = ()
    ) -> AsyncIterator[Event]:
        """Start a run and follow its events, until it ends or waits for tool outputs. Leaving does not stop it."""
        ...

    async def get_run(self, thread_id: ThreadId, run_id: RunId) -> Run:
        """The run as it is now."""
        ...

    async def update_run(
        self, thread_id: ThreadId, run_id: RunId, metadata: Metadata | None | UnsetType = UNSET
    ) -> Run:
        """Change the metadata: absent leaves it, `None` clears it. Allowed in every status."""
        ...

    async def runs(
        self,
        thread_id: ThreadId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: RunId | None = None,
        before: RunId | None = None,
    ) -> PageOf[Run]:
        """The thread's runs, newest first by default."""
        ...

    async def submit_tool_output(self, thread_id: ThreadId, run_id: RunId, output: Sequence[ToolOutput]) -> Run:
        """Give a run in `requires_action` the outputs of all its calls; it is `queued` again.

        `BadRequest` in any other status, and when a call's output is missing, double or unknown.
        """
        ...

    def submit_streaming_tool_output(
        self, thread_id: ThreadId, run_id: RunId, output: Sequence[ToolOutput]
    ) -> AsyncIterator[Event]:
        """As `submit_tool_output`, and follow the events from there on."""
        ...

    async def cancel(self, thread_id: ThreadId, run_id: RunId) -> Run:
        """Stop a run; the answer is `cancelling`, `cancelled` follows at once. `BadRequest` if it cannot be stopped."""
        ...

    async def create_thread_run(self, request: ThreadRunRequest) -> Run:
        """Make a thread and start a run on it: both, or nothing."""
        ...

    def create_streaming_thread_run(self, request: ThreadRunRequest) -> AsyncIterator[Event]:
        """As `create_thread_run`, and follow the events, `thread.created` first."""
        ...

    async def run_step(
        self, thread_id: ThreadId, run_id: RunId, step_id: RunStepId, include: Sequence[Include] = ()
    ) -> RunStep:
        """One step of a run as it is now."""
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
        """The run's steps, newest first by default. None exists before the model begins."""
        ...

    def run_events(self, thread_id: ThreadId, run_id: RunId, after: str | None = None) -> AsyncIterator[Event]:
        """Follow any run, running or ended, from any event: its start, or the one after the event with id `after`.

        Ends as a stream does: with the run, or where it waits for tool outputs. Text of a message that is long
        written comes whole, with the event that completed it. The original API never had this.
        """
        ...
