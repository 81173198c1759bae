"""Snapshots: a message or a step with its deltas applied.

Parts and calls are found by their `index`. Strings are concatenated; everything else is replaced. Values that
do not fit the types, such as those of a newer server, are left out.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import groupby
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

__all__ = ["with_message_deltas", "with_step_deltas"]


class _Indexed(Protocol):
    @property
    def index(self) -> int: ...


D = TypeVar("D", bound=_Indexed)
S = TypeVar("S")


def with_message_deltas(message: Message, deltas: Sequence[MessageDelta]) -> Message:
    """The message with the deltas applied."""
    parts = [part for delta in deltas for part in delta.delta.content or []]
    content: Content = _merged(message.content, _joined(parts, _plain_text, _with_text), _part)
    roles = [delta.delta.role for delta in deltas if delta.delta.role]
    return replace(message, content=content, role=roles[-1] if roles else message.role)


def with_step_deltas(step: RunStep, deltas: Sequence[RunStepDelta]) -> RunStep:
    """The step with the deltas applied."""
    if not isinstance(step.step_details, ToolCallsDetails):
        return step
    details = [delta.delta.step_details for delta in deltas]
    new_calls = [call for each in details if isinstance(each, ToolCallsDelta) for call in each.tool_calls or []]
    calls = _merged(step.step_details.tool_calls, _joined(new_calls, _plain_arguments, _with_arguments), _call)
    return replace(step, step_details=ToolCallsDetails(tool_calls=calls))


def _joined(deltas: list[D], plain: Callable[[D], str | None], with_text: Callable[[D, str], D]) -> list[D]:
    """The deltas with those joined that follow each other and only add text to the same item.

    So a text of many pieces is copied once, not once for each piece.
    """
    joined: list[D] = []
    for (_, is_plain), group in groupby(deltas, lambda delta: (delta.index, plain(delta) is not None)):
        found = list(group)
        joined += [with_text(found[0], "".join(plain(each) or "" for each in found))] if is_plain else found
    return joined


def _plain_text(delta: PartDelta) -> str | None:
    """The text of a delta that has nothing else."""
    match delta:
        case TextPartDelta(text=TextDelta(value=str() as value, annotations=annotations)) if not annotations:
            return value
        case _:
            return None


def _with_text(delta: PartDelta, text: str) -> PartDelta:
    return TextPartDelta(index=delta.index, text=TextDelta(value=text))


def _plain_arguments(delta: ToolCallDelta) -> str | None:
    """The arguments in a delta that has nothing else."""
    match delta:
        case FunctionToolCallDelta(id=id, function=FunctionDelta(name=name, arguments=str() as more, output=output)):
            return more if not id and not name and output is UNSET else None
        case _:
            return None


def _with_arguments(delta: ToolCallDelta, arguments: str) -> ToolCallDelta:
    return FunctionToolCallDelta(index=delta.index, function=FunctionDelta(arguments=arguments))


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
    cited = _fitting(delta.annotations or [], Annotation)
    return Text(value=text.value + (delta.value or ""), annotations=[*text.annotations, *cited])


def _fitting(values: list[dict[str, Any]], kind: Any) -> list[Any]:
    """The values of this type, without their `index`, which only deltas have."""
    found = []
    for value in values:
        with suppress(msgspec.ValidationError):
            found.append(msgspec.convert({name: each for name, each in value.items() if name != "index"}, kind))
    return found


def _call(call: ToolCall | None, delta: ToolCallDelta) -> ToolCall | None:
    id = delta.id or (call.id if call is not None else "")
    match delta:
        case FunctionToolCallDelta(function=new_calls):
            known = call.function if isinstance(call, FunctionToolCall) else FunctionCallResult(name="", arguments="")
            return FunctionToolCall(id=id, function=_function(known, new_calls or FunctionDelta()))
        case CodeInterpreterCallDelta(code_interpreter=new_calls):
            code = call.code_interpreter if isinstance(call, CodeInterpreterCall) else CodeInterpreter(input="")
            return CodeInterpreterCall(id=id, code_interpreter=_code(code, new_calls or CodeInterpreterDelta()))
        case FileSearchCallDelta(file_search=dict() as search):
            found = _fitting([{"ranking_options": {}} | search], FileSearch)
            return FileSearchCall(id=id, file_search=found[0]) if found else call
        case _:
            return call


def _function(function: FunctionCallResult, delta: FunctionDelta) -> FunctionCallResult:
    return FunctionCallResult(
        name=function.name + (delta.name or ""),
        arguments=function.arguments + (delta.arguments or ""),
        output=function.output if delta.output is UNSET else delta.output,
    )


def _code(code: CodeInterpreter, delta: CodeInterpreterDelta) -> CodeInterpreter:
    outputs: list[CodeOutput] = [*code.outputs, *_fitting(delta.outputs or [], CodeOutput)]
    return CodeInterpreter(input=code.input + (delta.input or ""), outputs=outputs)
