"""Snapshots: a message or a step with its deltas applied.

Parts and calls are found by their `index`. Strings are concatenated; everything else is replaced.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from runstead.wire.content import (
    Annotation,
    Content,
    ContentPart,
    ImageFilePart,
    ImageUrlPart,
    RefusalPart,
    Text,
    TextPart,
)
from runstead.wire.delta import (
    CodeInterpreterCallDelta,
    CodeInterpreterDelta,
    FileSearchCallDelta,
    FunctionDelta,
    FunctionToolCallDelta,
    ImageFilePartDelta,
    ImageUrlPartDelta,
    MessageDelta,
    PartDelta,
    RefusalPartDelta,
    RunStepDelta,
    TextDelta,
    TextPartDelta,
    ToolCallDelta,
    ToolCallsDelta,
)
from runstead.wire.message import Message
from runstead.wire.run_step import (
    CodeInterpreter,
    CodeInterpreterCall,
    CodeOutput,
    FileSearch,
    FileSearchCall,
    FunctionCallResult,
    FunctionToolCall,
    RunStep,
    ToolCall,
    ToolCallsDetails,
)

__all__ = ["with_message_delta", "with_step_delta"]


class _Indexed(Protocol):
    @property
    def index(self) -> int: ...


D = TypeVar("D", bound=_Indexed)
S = TypeVar("S")


def with_message_delta(message: Message, delta: MessageDelta) -> Message:
    """The message with the delta applied."""
    content: Content = _merged(message.content, delta.delta.content or [], _part)
    return replace(message, content=content, role=delta.delta.role or message.role)


def with_step_delta(step: RunStep, delta: RunStepDelta) -> RunStep:
    """The step with the delta applied."""
    news = delta.delta.step_details
    if not isinstance(news, ToolCallsDelta) or not isinstance(step.step_details, ToolCallsDetails):
        return step
    calls = _merged(step.step_details.tool_calls, news.tool_calls or [], _call)
    return replace(step, step_details=ToolCallsDetails(tool_calls=calls))


def _merged(known: list[S], deltas: list[D], merge: Callable[[S | None, D], S | None]) -> list[S]:
    """The list with each delta merged into the item at its index. A delta that would leave a gap is ignored."""
    merged = list(known)
    for delta in deltas:
        if 0 <= delta.index <= len(merged):
            so_far = merged[delta.index] if delta.index < len(merged) else None
            whole = merge(so_far, delta)
            if whole is not None:
                merged[delta.index : delta.index + 1] = [whole]
    return merged


def _part(part: ContentPart | None, delta: PartDelta) -> ContentPart | None:
    match delta:
        case TextPartDelta(text=TextDelta() as text):
            return TextPart(text=_text(part.text if isinstance(part, TextPart) else Text(value=""), text))
        case RefusalPartDelta(refusal=str() as more):
            return RefusalPart(refusal=(part.refusal if isinstance(part, RefusalPart) else "") + more)
        case ImageFilePartDelta(image_file=image) if image is not UNSET:
            return ImageFilePart(image_file=image)
        case ImageUrlPartDelta(image_url=image) if image is not UNSET:
            return ImageUrlPart(image_url=image)
        case _:
            return part


def _text(text: Text, delta: TextDelta) -> Text:
    cited = [msgspec.convert(_without_index(each), Annotation) for each in delta.annotations or []]
    return Text(value=text.value + (delta.value or ""), annotations=[*text.annotations, *cited])


def _without_index(annotation: dict[str, Any]) -> dict[str, Any]:
    """An annotation or output without its `index`, which only deltas have."""
    return {name: value for name, value in annotation.items() if name != "index"}


def _call(call: ToolCall | None, delta: ToolCallDelta) -> ToolCall | None:
    id = delta.id or (call.id if call is not None else "")
    match delta:
        case FunctionToolCallDelta(function=news):
            known = call.function if isinstance(call, FunctionToolCall) else FunctionCallResult(name="", arguments="")
            return FunctionToolCall(id=id, function=_function(known, news or FunctionDelta()))
        case CodeInterpreterCallDelta(code_interpreter=news):
            code = call.code_interpreter if isinstance(call, CodeInterpreterCall) else CodeInterpreter(input="")
            return CodeInterpreterCall(id=id, code_interpreter=_code(code, news or CodeInterpreterDelta()))
        case FileSearchCallDelta(file_search=dict() as search):
            return FileSearchCall(id=id, file_search=msgspec.convert({"ranking_options": {}} | search, FileSearch))
        case _:
            return call


def _function(function: FunctionCallResult, delta: FunctionDelta) -> FunctionCallResult:
    return FunctionCallResult(
        name=function.name + (delta.name or ""),
        arguments=function.arguments + (delta.arguments or ""),
        output=function.output if delta.output is UNSET else delta.output,
    )


def _code(code: CodeInterpreter, delta: CodeInterpreterDelta) -> CodeInterpreter:
    outputs: list[CodeOutput] = [
        *code.outputs,
        *(msgspec.convert(_without_index(each), CodeOutput) for each in delta.outputs or []),
    ]
    return CodeInterpreter(input=code.input + (delta.input or ""), outputs=outputs)
