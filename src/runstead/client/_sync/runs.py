# Generated from src/runstead/client/_async/runs.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The calls for runs."""

from collections.abc import Sequence

from runstead.client._sync.calls import Calls
from runstead.client._sync.pages import Page
from runstead.client._sync.reconnect import follow
from runstead.client._sync.stream import RunStream
from runstead.client.streams.stream_position import StreamCall, StreamPosition, run_events_call
from runstead.wire.endpoints import runs as endpoint
from runstead.wire.page import IncludeQuery, ListQuery, StepQuery
from runstead.wire.run import Run, RunId, RunRequest, RunUpdate, ThreadRunRequest, ToolOutputs
from runstead.wire.run_step import Include, RunStep, RunStepId
from runstead.wire.struct import UNSET, Metadata, SortOrder, UnsetType
from runstead.wire.thread import ThreadId
from runstead.wire.tool import ToolOutput

__all__ = ["Runs"]


class Runs(Calls):
    """`runstead.interface.Runs`. Streaming calls return an `RunStream`."""

    def create_run(self, thread_id: ThreadId, request: RunRequest, include: Sequence[Include] = ()) -> Run:
        query = IncludeQuery(include=list(include))
        return self._transport.call(endpoint.CREATE_RUN, {"thread_id": thread_id}, query, request)

    def create_streaming_run(
        self, thread_id: ThreadId, request: RunRequest, include: Sequence[Include] = ()
    ) -> RunStream:
        query = IncludeQuery(include=list(include))
        call = StreamCall(endpoint.CREATE_RUN, {"thread_id": thread_id}, query, request)
        return self._stream(call, StreamPosition(include=include))

    def get_run(self, thread_id: ThreadId, run_id: RunId) -> Run:
        return self._transport.call(endpoint.GET_RUN, {"thread_id": thread_id, "run_id": run_id})

    def update_run(self, thread_id: ThreadId, run_id: RunId, metadata: Metadata | None | UnsetType = UNSET) -> Run:
        path = {"thread_id": thread_id, "run_id": run_id}
        return self._transport.call(endpoint.UPDATE_RUN, path, body=RunUpdate(metadata=metadata))

    def runs(
        self,
        thread_id: ThreadId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: RunId | None = None,
        before: RunId | None = None,
    ) -> Page[Run]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return self._page(endpoint.RUNS, {"thread_id": thread_id}, query)

    def submit_tool_output(self, thread_id: ThreadId, run_id: RunId, output: Sequence[ToolOutput]) -> Run:
        path = {"thread_id": thread_id, "run_id": run_id}
        return self._transport.call(endpoint.SUBMIT_TOOL_OUTPUT, path, body=ToolOutputs(output=list(output)))

    def submit_streaming_tool_output(
        self, thread_id: ThreadId, run_id: RunId, output: Sequence[ToolOutput]
    ) -> RunStream:
        path = {"thread_id": thread_id, "run_id": run_id}
        call = StreamCall(endpoint.SUBMIT_TOOL_OUTPUT, path, body=ToolOutputs(output=list(output)))
        return self._stream(call, StreamPosition(thread_id, run_id))

    def cancel(self, thread_id: ThreadId, run_id: RunId) -> Run:
        return self._transport.call(endpoint.CANCEL, {"thread_id": thread_id, "run_id": run_id})

    def create_thread_run(self, request: ThreadRunRequest) -> Run:
        return self._transport.call(endpoint.CREATE_THREAD_RUN, {}, body=request)

    def create_streaming_thread_run(self, request: ThreadRunRequest) -> RunStream:
        return self._stream(StreamCall(endpoint.CREATE_THREAD_RUN, {}, body=request), StreamPosition())

    def run_step(
        self, thread_id: ThreadId, run_id: RunId, step_id: RunStepId, include: Sequence[Include] = ()
    ) -> RunStep:
        path = {"thread_id": thread_id, "run_id": run_id, "step_id": step_id}
        return self._transport.call(endpoint.RUN_STEP, path, IncludeQuery(include=list(include)))

    def run_steps(
        self,
        thread_id: ThreadId,
        run_id: RunId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: RunStepId | None = None,
        before: RunStepId | None = None,
        include: Sequence[Include] = (),
    ) -> Page[RunStep]:
        query = StepQuery(limit=limit, order=order, after=after, before=before, include=list(include))
        return self._page(endpoint.RUN_STEPS, {"thread_id": thread_id, "run_id": run_id}, query)

    def run_events(
        self, thread_id: ThreadId, run_id: RunId, after: str | None = None, include: Sequence[Include] = ()
    ) -> RunStream:
        position = StreamPosition(thread_id, run_id, after, from_start=after is None, include=include)
        return self._stream(run_events_call(thread_id, run_id, after, include), position)

    def _stream(self, call: StreamCall, position: StreamPosition) -> RunStream:
        return RunStream(follow(self._transport, call, position, self._sleep))
