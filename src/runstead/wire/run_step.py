"""A step of a run: a message that it wrote, or the tool calls of one model turn."""

from typing import Any, Literal, TypeAlias

from msgspec import UNSET, UnsetType, field

from runstead.wire.assistant import AssistantId
from runstead.wire.message import MessageId
from runstead.wire.run import LastError, RunId, Usage
from runstead.wire.struct import Object, Timestamp
from runstead.wire.thread import ThreadId

__all__ = [
    "CodeInterpreter",
    "CodeInterpreterCall",
    "CodeOutput",
    "FileSearch",
    "FileSearchCall",
    "FileSearchResult",
    "FunctionCallResult",
    "FunctionToolCall",
    "ImageOutput",
    "Include",
    "LogsOutput",
    "MessageCreation",
    "MessageCreationDetails",
    "OutputImage",
    "RunStep",
    "RunStepId",
    "StepDetails",
    "StepStatus",
    "ToolCall",
    "ToolCallsDetails",
]

RunStepId: TypeAlias = str
"""`step_` and 24 letters or digits."""

StepStatus: TypeAlias = Literal["in_progress", "cancelled", "failed", "completed", "expired"]
Include: TypeAlias = Literal["step_details.tool_calls[*].file_search.results[*].content"]
"""Optional content that a caller may request."""


class FunctionCallResult(Object, frozen=True, kw_only=True):
    """A called function. `output` is null until it is submitted."""

    name: str
    arguments: str
    output: str | None = None


class FunctionToolCall(Object, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A call of a function that the client runs."""

    id: str
    function: FunctionCallResult


class LogsOutput(Object, frozen=True, kw_only=True, tag_field="type", tag="logs"):
    """The output that the code printed."""

    logs: str


class OutputImage(Object, frozen=True, kw_only=True):
    """The file of an image that the code created."""

    file_id: str


class ImageOutput(Object, frozen=True, kw_only=True, tag_field="type", tag="image"):
    """An image that the code created."""

    image: OutputImage


CodeOutput: TypeAlias = LogsOutput | ImageOutput


class CodeInterpreter(Object, frozen=True, kw_only=True):
    """The code that was executed, and its output."""

    input: str
    outputs: list[CodeOutput] = field(default_factory=list)


class CodeInterpreterCall(Object, frozen=True, kw_only=True, tag_field="type", tag="code_interpreter"):
    """Code that the server executed for the run."""

    id: str
    code_interpreter: CodeInterpreter


class FileSearchResult(Object, frozen=True, kw_only=True):
    """A part of a file that a search found. It has `content` only if `include` requested it."""

    file_id: str
    file_name: str
    score: float
    attributes: dict[str, Any] | None = None
    content: list[dict[str, Any]] | UnsetType = UNSET


class FileSearch(Object, frozen=True, kw_only=True):
    """A file search with its results."""

    ranking_options: dict[str, Any]
    results: list[FileSearchResult] = field(default_factory=list)


class FileSearchCall(Object, frozen=True, kw_only=True, tag_field="type", tag="file_search"):
    """A file search that the server executed for the run."""

    id: str
    file_search: FileSearch


ToolCall: TypeAlias = FunctionToolCall | CodeInterpreterCall | FileSearchCall


class MessageCreation(Object, frozen=True, kw_only=True):
    """The message that a step wrote."""

    message_id: MessageId


class MessageCreationDetails(Object, frozen=True, kw_only=True, tag_field="type", tag="message_creation"):
    """The details of a step that wrote a message."""

    message_creation: MessageCreation


class ToolCallsDetails(Object, frozen=True, kw_only=True, tag_field="type", tag="tool_calls"):
    """The details of a step that called tools: all parallel calls of one model turn."""

    tool_calls: list[ToolCall]


StepDetails: TypeAlias = MessageCreationDetails | ToolCallsDetails


class RunStep(Object, frozen=True, kw_only=True):
    """A step of a run, as the server returns it."""

    id: RunStepId
    object: Literal["thread.run.step"] = "thread.run.step"
    created_at: Timestamp
    run_id: RunId
    assistant_id: AssistantId
    thread_id: ThreadId
    type: Literal["message_creation", "tool_calls"]
    status: StepStatus = "in_progress"
    step_details: StepDetails
    last_error: LastError | None = None
    expires_at: Timestamp | None = None
    expired_at: Timestamp | None = None
    cancelled_at: Timestamp | None = None
    failed_at: Timestamp | None = None
    completed_at: Timestamp | None = None
    metadata: dict[str, str] | None = field(default_factory=dict)
    usage: Usage | None = None
