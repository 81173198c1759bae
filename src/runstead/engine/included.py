"""Optional content of steps: the text of file search results, which a reader gets only if it asks for it.

Steps are stored with it. It is left out when a step or an event about one is read.
"""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from runstead.wire.event import EVENT_DATA, RawEvent
from runstead.wire.run_step import FileSearchCall, Include, RunStep, ToolCall, ToolCallsDetails

__all__ = ["shown_event", "shown_step"]

_decode = msgspec.json.Decoder(RunStep).decode
_encode = msgspec.json.Encoder().encode
_CONTENT = b'"content":'


def shown_step(step: RunStep, include: Sequence[Include] = ()) -> RunStep:
    """A step as a reader sees it that asked for these contents."""
    details = step.step_details
    if include or not isinstance(details, ToolCallsDetails):
        return step
    return replace(step, step_details=ToolCallsDetails(tool_calls=[_without(call) for call in details.tool_calls]))


def shown_event(event: RawEvent, include: Sequence[Include] = ()) -> RawEvent:
    """An event as a reader sees it that asked for these contents."""
    if include or EVENT_DATA.get(event.name) is not RunStep or _CONTENT not in event.data:
        return event
    return event._replace(data=_encode(shown_step(_decode(event.data))))


def _without(call: ToolCall) -> ToolCall:
    if not isinstance(call, FileSearchCall):
        return call
    results = [replace(result, content=UNSET) for result in call.file_search.results]
    return replace(call, file_search=replace(call.file_search, results=results))
