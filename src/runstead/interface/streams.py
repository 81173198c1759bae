"""The calls that are answered with a run's events, as values: each names its method and holds that method's arguments.

An engine takes them where events shall stay encoded, as over HTTP.
"""

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from runstead.wire.run import RunId, RunRequest, ThreadRunRequest
from runstead.wire.run_step import Include
from runstead.wire.thread import ThreadId
from runstead.wire.tool import ToolOutput

__all__ = ["CreateRunStream", "CreateThreadRunStream", "RunEventStream", "StreamCall", "SubmitToolOutputStream"]


class CreateRunStream(Struct, frozen=True):
    """`create_streaming_run`."""

    thread_id: ThreadId
    request: RunRequest
    include: Sequence[Include] = ()


class CreateThreadRunStream(Struct, frozen=True):
    """`create_streaming_thread_run`."""

    request: ThreadRunRequest


class SubmitToolOutputStream(Struct, frozen=True):
    """`submit_streaming_tool_output`."""

    thread_id: ThreadId
    run_id: RunId
    output: Sequence[ToolOutput]


class RunEventStream(Struct, frozen=True):
    """`run_events`."""

    thread_id: ThreadId
    run_id: RunId
    after: str | None = None
    include: Sequence[Include] = ()


StreamCall: TypeAlias = CreateRunStream | CreateThreadRunStream | SubmitToolOutputStream | RunEventStream
