"""The calls for runs."""

from collections.abc import Sequence

from runstead.client._async.calls import AsyncCalls
from runstead.client._async.pages import AsyncPage
from runstead.client._async.reconnect import follow
from runstead.client._async.stream import AsyncRunStream
from runstead.client.streams.stream_position import StreamCall, StreamPosition, run_events_call
from runstead.wire.endpoints import runs as endpoint
from runstead.wire.page import IncludeQuery, ListQuery, StepQuery
from runstead.wire.run import Run, RunId, RunRequest, RunUpdate, ThreadRunRequest, ToolOutputs
from runstead.wire.run_step import Include, RunStep, RunStepId
from runstead.wire.struct import UNSET, Metadata, SortOrder, UnsetType
from runstead.wire.thread import ThreadId
from runstead.wire.tool import ToolOutput

__all__ = ["AsyncRuns"]


class AsyncRuns(AsyncCalls):
    """`runstead.interface.Runs`. Streaming calls return an `AsyncRunStream`."""

    async def create_run(self, thread_id: ThreadId, request: RunRequest, include: Sequence[Include] = ()) -> Run:
        query = IncludeQuery(include=list(include))
        return await self._transport.call(endpoint.CREATE_RUN, {"thread_id": thread_id}, query, request)

    def create_streaming_run(
        self, thread_id: ThreadId, request: RunRequest, include: Sequence[Include] = ()
    ) -> AsyncRunStream:
        query = IncludeQuery(include=list(include))
        call = StreamCall(endpoint.CREATE_RUN, {"thread_id": thread_id}, query, request)
        return self._stream(call, StreamPosition(include=include))

    async def get_run(self, thread_id: ThreadId, run_id: RunId) -> Run:
        return await self._transport.call(endpoint.GET_RUN, {"thread_id": thread_id, "run_id": run_id})

    async def update_run(
        self, thread_id: ThreadId, run_id: RunId, metadata: Metadata | None | UnsetType = UNSET
    ) -> Run:
        path = {"thread_id": thread_id, "run_id": run_id}
        return await self._transport.call(endpoint.UPDATE_RUN, path, body=RunUpdate(metadata=metadata))

    async def runs(
        self,
        thread_id: ThreadId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: RunId | None = None,
        before: RunId | None = None,
    ) -> AsyncPage[Run]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return await self._page(endpoint.RUNS, {"thread_id": thread_id}, query)

    async def submit_tool_output(self, thread_id: ThreadId, run_id: RunId, output: Sequence[ToolOutput]) -> Run:
        path = {"thread_id": thread_id, "run_id": run_id}
        return await self._transport.call(endpoint.SUBMIT_TOOL_OUTPUT, path, body=ToolOutputs(output=list(output)))

    def submit_streaming_tool_output(
        self, thread_id: ThreadId, run_id: RunId, output: Sequence[ToolOutput]
    ) -> AsyncRunStream:
        path = {"thread_id": thread_id, "run_id": run_id}
        call = StreamCall(endpoint.SUBMIT_TOOL_OUTPUT, path, body=ToolOutputs(output=list(output)))
        return self._stream(call, StreamPosition(thread_id, run_id))

    async def cancel(self, thread_id: ThreadId, run_id: RunId) -> Run:
        return await self._transport.call(endpoint.CANCEL, {"thread_id": thread_id, "run_id": run_id})

    async def create_thread_run(self, request: ThreadRunRequest) -> Run:
        return await self._transport.call(endpoint.CREATE_THREAD_RUN, {}, body=request)

    def create_streaming_thread_run(self, request: ThreadRunRequest) -> AsyncRunStream:
        return self._stream(StreamCall(endpoint.CREATE_THREAD_RUN, {}, body=request), StreamPosition())

    async def run_step(
        self, thread_id: ThreadId, run_id: RunId, step_id: RunStepId, include: Sequence[Include] = ()
    ) -> RunStep:
        path = {"thread_id": thread_id, "run_id": run_id, "step_id": step_id}
        return await self._transport.call(endpoint.RUN_STEP, path, IncludeQuery(include=list(include)))

    async def run_steps(
        self,
        thread_id: ThreadId,
        run_id: RunId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: RunStepId | None = None,
        before: RunStepId | None = None,
        include: Sequence[Include] = (),
    ) -> AsyncPage[RunStep]:
        query = StepQuery(limit=limit, order=order, after=after, before=before, include=list(include))
        return await self._page(endpoint.RUN_STEPS, {"thread_id": thread_id, "run_id": run_id}, query)

    def run_events(
        self, thread_id: ThreadId, run_id: RunId, after: str | None = None, include: Sequence[Include] = ()
    ) -> AsyncRunStream:
        position = StreamPosition(thread_id, run_id, after, from_start=after is None, include=include)
        return self._stream(run_events_call(thread_id, run_id, after, include), position)

    def _stream(self, call: StreamCall, position: StreamPosition) -> AsyncRunStream:
        return AsyncRunStream(follow(self._transport, call, position, self._sleep))
