"""What the model is told: instructions, the thread's history, and what this run has done so far.

A model turn that calls functions leaves one or two steps: the text it said first, if any, and its calls. A turn that
only says text ends the run. So within a run, text followed by calls is one turn, and is told as one message: many
model servers refuse two assistant messages in a row. Text whose turn broke off before its calls joins the next turn.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from runstead.domain.model_call import ModelRequest
from runstead.domain.run.budget import completion_left
from runstead.wire.content import ContentPart, ImageFilePart, ImageUrlPart, RefusalPart, TextPart
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.run_step import FunctionToolCall, MessageCreationDetails, RunStep, ToolCallsDetails
from runstead.wire.tool import Function, FunctionTool, NamedToolChoice, ToolChoice

__all__ = ["ChatMessage", "build", "functions", "instructions", "own", "said"]

ChatMessage: TypeAlias = dict[str, Any]
"""A chat-completion message."""


def build(
    run: Run, history: Sequence[Message], steps: Sequence[RunStep], written: Mapping[str, Message]
) -> ModelRequest:
    """The next model call of a run.

    `history` is what the model shall know of the thread, oldest first; `steps` are all of the run's, oldest first, and
    `written` the messages that they wrote, by id.
    """
    offered = functions(run)
    return ModelRequest(
        model=run.model,
        messages=[*instructions(run), *_spoken(history), *own(steps, written)],
        functions=offered,
        tool_choice=_choice(run, offered, steps),
        parallel_tool_calls=run.parallel_tool_calls,
        response_format=run.response_format or "auto",
        temperature=run.temperature,
        top_p=run.top_p,
        reasoning_effort=run.reasoning_effort,
        max_completion_tokens=completion_left(run, steps),
        run_id=run.id,
    )


def instructions(run: Run) -> list[ChatMessage]:
    """The system message; none without instructions."""
    return [{"role": "system", "content": run.instructions}] if run.instructions else []


def said(message: Message) -> ChatMessage | None:
    """A message as the model is told it; None when there is nothing in it to tell.

    The assistant's own images are left out: models take images from users only.
    """
    parts = [_part(part) for part in message.content if message.role == "user" or not _is_image(part)]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    if len(texts) < len(parts):
        return {"role": message.role, "content": parts}
    text = "\n".join(texts)
    return {"role": message.role, "content": text} if text or message.role == "user" else None


def own(steps: Iterable[RunStep], written: Mapping[str, Message]) -> list[ChatMessage]:
    """What the run itself said and did: its finished steps. A step that failed is as if it had never been."""
    told: list[ChatMessage] = []
    for step in steps:
        calls = _answered(step)
        if calls:
            _tell(told, {"role": "assistant", "content": None, "tool_calls": [_call(call) for call in calls]})
            told += [_output(call) for call in calls]
        elif step.status == "completed" and isinstance(step.step_details, MessageCreationDetails):
            message = written.get(step.step_details.message_creation.message_id)
            _tell(told, said(message) if message else None)
    return told


def functions(run: Run) -> list[Function]:
    """The functions that the model may call."""
    if run.tool_choice == "none":
        return []
    return [tool.function for tool in run.tools if isinstance(tool, FunctionTool)]


def _spoken(history: Iterable[Message]) -> list[ChatMessage]:
    return [message for message in map(said, history) if message is not None]


def _tell(told: list[ChatMessage], message: ChatMessage | None) -> None:
    """Add what the assistant said, to the text before it if that belongs to the same turn."""
    if message is None:
        return
    if told and told[-1]["role"] == "assistant" and "tool_calls" not in told[-1]:
        before = told.pop()
        texts = [text for text in (before["content"], message["content"]) if text]
        message = {**message, "content": "\n".join(texts) or None}
    told.append(message)


def _part(part: ContentPart) -> dict[str, Any]:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text.value}
        case RefusalPart():
            return {"type": "text", "text": part.refusal}
        case ImageUrlPart():
            return {"type": "image_url", "image_url": {"url": part.image_url.url, "detail": part.image_url.detail}}
        case ImageFilePart():
            return {"type": "text", "text": f"[image {part.image_file.file_id} is not available]"}


def _is_image(part: ContentPart) -> bool:
    return isinstance(part, ImageUrlPart | ImageFilePart)


def _answered(step: RunStep) -> list[FunctionToolCall]:
    """The step's calls of functions, once all have their outputs: a model server refuses a call without one."""
    if step.status != "completed" or not isinstance(step.step_details, ToolCallsDetails):
        return []
    calls = [call for call in step.step_details.tool_calls if isinstance(call, FunctionToolCall)]
    return [] if any(call.function.output is None for call in calls) else calls


def _call(call: FunctionToolCall) -> dict[str, Any]:
    # Some chat templates parse the arguments: no arguments must be an empty object, not an empty string.
    arguments = call.function.arguments or "{}"
    return {"id": call.id, "type": "function", "function": {"name": call.function.name, "arguments": arguments}}


def _output(call: FunctionToolCall) -> ChatMessage:
    return {"role": "tool", "tool_call_id": call.id, "content": call.function.output}


def _choice(run: Run, offered: Sequence[Function], steps: Sequence[RunStep]) -> ToolChoice:
    """The run's choice until its first calls are answered; from then on the model may answer too."""
    forced = bool(offered) and (
        run.tool_choice == "required"
        or (isinstance(run.tool_choice, NamedToolChoice) and run.tool_choice.type == "function")
    )
    if run.tool_choice is None or not forced or any(map(_answered, steps)):
        return "auto"
    return run.tool_choice
