"""The calls about runs, their steps and their events."""

from runstead.wire.endpoints.endpoint import Endpoint, Nothing
from runstead.wire.event import Event
from runstead.wire.page import EventQuery, IncludeQuery, ListQuery, Page, StepQuery
from runstead.wire.run import Run, RunRequest, RunUpdate, ThreadRunRequest, ToolOutputs
from runstead.wire.run_step import RunStep

__all__ = [
    "CANCEL",
    "CREATE_RUN",
    "CREATE_THREAD_RUN",
    "GET_RUN",
    "RUNS",
    "RUN_EVENTS",
    "RUN_STEP",
    "RUN_STEPS",
    "SUBMIT_TOOL_OUTPUT",
    "UPDATE_RUN",
]

CREATE_THREAD_RUN: Endpoint[Nothing, ThreadRunRequest, Run] = Endpoint(
    name="create_thread_run",
    method="POST",
    path="/threads/runs",
    body=ThreadRunRequest,
    reply=Run,
    streaming="create_streaming_thread_run",
)

CREATE_RUN: Endpoint[IncludeQuery, RunRequest, Run] = Endpoint(
    name="create_run",
    method="POST",
    path="/threads/{thread_id}/runs",
    query=IncludeQuery,
    body=RunRequest,
    reply=Run,
    streaming="create_streaming_run",
)

RUNS: Endpoint[ListQuery, Nothing, Page[Run]] = Endpoint(
    name="runs",
    method="GET",
    path="/threads/{thread_id}/runs",
    query=ListQuery,
    reply=Page[Run],
)

GET_RUN: Endpoint[Nothing, Nothing, Run] = Endpoint(
    name="get_run",
    method="GET",
    path="/threads/{thread_id}/runs/{run_id}",
    reply=Run,
)

UPDATE_RUN: Endpoint[Nothing, RunUpdate, Run] = Endpoint(
    name="update_run",
    method="POST",
    path="/threads/{thread_id}/runs/{run_id}",
    body=RunUpdate,
    reply=Run,
)

SUBMIT_TOOL_OUTPUT: Endpoint[Nothing, ToolOutputs, Run] = Endpoint(
    name="submit_tool_output",
    method="POST",
    path="/threads/{thread_id}/runs/{run_id}/submit_tool_outputs",
    body=ToolOutputs,
    reply=Run,
    streaming="submit_streaming_tool_output",
)

CANCEL: Endpoint[Nothing, Nothing, Run] = Endpoint(
    name="cancel",
    method="POST",
    path="/threads/{thread_id}/runs/{run_id}/cancel",
    reply=Run,
)

RUN_STEPS: Endpoint[StepQuery, Nothing, Page[RunStep]] = Endpoint(
    name="run_steps",
    method="GET",
    path="/threads/{thread_id}/runs/{run_id}/steps",
    query=StepQuery,
    reply=Page[RunStep],
)

RUN_STEP: Endpoint[IncludeQuery, Nothing, RunStep] = Endpoint(
    name="run_step",
    method="GET",
    path="/threads/{thread_id}/runs/{run_id}/steps/{step_id}",
    query=IncludeQuery,
    reply=RunStep,
)

RUN_EVENTS: Endpoint[EventQuery, Nothing, Event] = Endpoint(
    name="run_events",
    method="GET",
    path="/threads/{thread_id}/runs/{run_id}/events",
    query=EventQuery,
    reply=Event,
    gives="events",
    extension=True,
)
