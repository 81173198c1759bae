"""Citations: the markers by which a model cites the passages that file searches gave it.

A marker is `【m:n†name】`. It names passage `n` of file search `m` of the run, both counted from 0, and the file. The
passages are in the run's steps, so another worker that recovers the run has them too.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from runstead.domain.run.journal import Call, StepRow, fold
from runstead.wire.content import ContentPart, FileCitation, Text, TextPart
from runstead.wire.message import Message
from runstead.wire.run_step import FileSearchCall, ToolCall, ToolCallsDetails

__all__ = [
    "FILE_SEARCH",
    "Passage",
    "Source",
    "Sources",
    "marker",
    "sources_of",
    "without_citations",
    "without_markers",
]

FILE_SEARCH = "file_search"
"""The kind of tool whose results can be cited."""
_MAX_NAME = 120
"""Characters of a name in a marker: a marker that is being written holds the stream of its message up."""
_UNFIT = re.compile(r"[【】†\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Characters that would end a marker, or hide its text."""
_MARKER = re.compile(r"【([0-9]{1,4}:[0-9]{1,4})†([^【】†\n]*)】")

Passage: TypeAlias = tuple[int, int]
"""The number of a search, and that of a passage among its results."""


class Source(NamedTuple):
    """The file of a passage that can be cited."""

    file_id: str
    name: str
    """Its name in markers."""


class Sources(Struct):
    """The passages that the finished steps of a run gave to its model."""

    passages: dict[Passage, Source] = {}
    searches: int = 0
    """The file searches that the model asked for, also those that failed."""


def marker(passage: Passage, file_name: str) -> str:
    """The marker of a passage. A file whose name cannot stand in a marker is called `source`."""
    return f"【{passage[0]}:{passage[1]}†{_name(file_name)}】"


def sources_of(steps: Iterable[StepRow]) -> Sources:
    """The passages that can be cited. `steps` are all of the run's, oldest first."""
    return fold(steps, "sources", Sources(), _with_step)


def without_citations(message: Message) -> Message:
    """A message of an earlier run for the prompt of a new one, in which its markers would mean other passages."""
    if not any(isinstance(part, TextPart) and part.text.annotations for part in message.content):
        return message
    return replace(message, content=[_without_citations(part) for part in message.content])


def without_markers(text: str) -> str:
    """The text of a passage for the model: what looks like a marker in a document does not look so any more."""
    return _MARKER.sub(r"[\1 \2]", text)


def _with_step(sources: Sources, row: StepRow) -> Sources:
    if row.step.status == "in_progress" or not any(call.tool == FILE_SEARCH for call in row.calls):
        return sources
    shown = _shown(row)
    for call in row.calls:
        if call.tool == FILE_SEARCH:
            found = shown.get(call.id)
            for place, source in enumerate(_results(call, found)):
                sources.passages[sources.searches, place] = source
            sources.searches += 1
    return sources


def _shown(row: StepRow) -> Mapping[str, ToolCall]:
    details = row.step.step_details
    return {call.id: call for call in details.tool_calls} if isinstance(details, ToolCallsDetails) else {}


def _results(call: Call, shown: ToolCall | None) -> list[Source]:
    if call.status != "completed" or not isinstance(shown, FileSearchCall):
        return []
    return [Source(result.file_id, _name(result.file_name)) for result in shown.file_search.results]


def _without_citations(part: ContentPart) -> ContentPart:
    if not isinstance(part, TextPart):
        return part
    text = part.text
    cited = [note for note in text.annotations if isinstance(note, FileCitation)]
    starts = [note.start_index for note in cited] + [len(text.value)]
    ends = [0] + [note.end_index for note in cited]
    value = "".join(text.value[end:start] for end, start in zip(ends, starts, strict=True))
    return TextPart(text=Text(value=value))


def _name(file_name: str) -> str:
    return file_name if 0 < len(file_name) <= _MAX_NAME and not _UNFIT.search(file_name) else "source"
