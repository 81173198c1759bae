"""Runs, steps and messages for the tests of the domain."""

from collections.abc import Sequence
from typing import Any

from runstead.domain.run.journal import StepRow, from_wire
from runstead.wire.content import ContentPart, Text, TextPart
from runstead.wire.message import IncompleteMessage, Message, MessageStatus
from runstead.wire.run import Run, Status, Usage
from runstead.wire.run_step import (
    FunctionCallResult,
    FunctionToolCall,
    MessageCreation,
    MessageCreationDetails,
    RunStep,
    StepDetails,
    StepStatus,
    ToolCallsDetails,
)
from runstead.wire.tool import Function, FunctionTool

__all__ = ["WEATHER", "call", "calls_step", "message", "run", "text_step"]

WEATHER = Function(name="weather", description="Tells the weather of a city.")


def run(**fields: Any) -> Run:
    """A run in progress with one function; `fields` replace its own."""
    known: dict[str, Any] = {
        "id": "run_1",
        "created_at": 100,
        "thread_id": "thread_1",
        "assistant_id": "asst_1",
        "status": Status.IN_PROGRESS,
        "model": "some-model",
        "tools": [FunctionTool(function=WEATHER)],
    }
    return Run(**known | fields)


def message(
    content: str | Sequence[ContentPart] = "Hello",
    *,
    id: str = "msg_1",
    role: Any = "user",
    run_id: str | None = None,
    status: MessageStatus = "completed",
    reason: Any = None,
) -> Message:
    """A message of the thread; by default from its user."""
    return Message(
        id=id,
        created_at=100,
        thread_id="thread_1",
        status=status,
        incomplete_details=IncompleteMessage(reason=reason) if reason else None,
        role=role,
        content=[TextPart(text=Text(value=content))] if isinstance(content, str) else list(content),
        run_id=run_id,
    )


def call(id: str, output: str | None, arguments: str = '{"city":"Rome"}') -> FunctionToolCall:
    """A call of the weather function."""
    return FunctionToolCall(id=id, function=FunctionCallResult(name="weather", arguments=arguments, output=output))


def text_step(message_id: str, *, status: StepStatus = "completed", usage: Usage | None = None) -> StepRow:
    """A step that wrote a message."""
    return _step(MessageCreationDetails(message_creation=MessageCreation(message_id=message_id)), status, usage)


def calls_step(*calls: FunctionToolCall, status: StepStatus = "completed", usage: Usage | None = None) -> StepRow:
    """A step that called functions."""
    return _step(ToolCallsDetails(tool_calls=list(calls)), status, usage)


def _step(details: StepDetails, status: StepStatus, usage: Usage | None) -> StepRow:
    step = RunStep(
        id="step_1",
        created_at=100,
        run_id="run_1",
        assistant_id="asst_1",
        thread_id="thread_1",
        type="tool_calls" if isinstance(details, ToolCallsDetails) else "message_creation",
        status=status,
        step_details=details,
        usage=usage,
    )
    return from_wire(step)
