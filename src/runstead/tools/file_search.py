"""The tool `file_search`: the model asks, and reads passages of the files that belong to its run.

The passages are numbered with the markers by which the model cites them (`domain/chat/citations.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from runstead.domain.chat import citations, tokens
from runstead.domain.run.journal import Call
from runstead.tools.port import OnInterrupt, ToolError, ToolResult, ToolSession
from runstead.wire.error import Unreachable
from runstead.wire.run import Run
from runstead.wire.run_step import FileSearch, FileSearchCall, FileSearchResult
from runstead.wire.search import SearchRanking
from runstead.wire.tool import FileSearchSettings, FileSearchTool, Function, RankingOptions

__all__ = ["FileSearchServer", "Passage", "PassageSearch"]

_MAX_QUERIES = 5
_MAX_QUERY = 2_000
"""Characters of a query that are searched."""
_RESULTS = 20
"""Passages for a model that reads as many, if the assistant does not say."""
_FEW_RESULTS = 5
"""Passages for a model with a small window."""
_SMALL_ROOM = 16_000
"""Tokens that twenty passages take."""
_MAX_TOKENS = 30_000
"""Tokens of all passages, about, which is below the limit of any output in characters."""
_MIN_TOKENS = 40
"""Tokens below which the beginning of a passage says nothing."""
_FUNCTION = Function(
    name="file_search",
    description=(
        "Searches the files that belong to this conversation, by meaning and by words, and returns passages of their "
        "text. Call it before you answer a question about files or documents. Each passage begins with a marker such "
        "as 【0:1†name】. Write the marker of a passage directly behind each statement that you take from it."
    ),
    parameters={
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "What to search for."},
            "more_queries": {
                "type": "array",
                "description": "Other things to search for at the same time.",
                "items": {"type": "string"},
                "maxItems": _MAX_QUERIES - 1,
            },
        },
        "required": ["query"],
    },
)
_HEAD = "Cite each passage that you use: write its marker, exactly as it is here, behind the words that it supports."
_NO_FILES = "There are no files to search: this conversation has no vector store."
_NOTHING = "No passage was found. Other words may find one."
_NO_ROOM = "Passages were found, but the budget of this run has no room for them."
_NOT_READY = "[Some files of this conversation are still being read, and were not searched.]"
_ARGUMENTS = 'The arguments must be a JSON object such as {"query": "seal of the pump", "more_queries": ["price"]}.'


class Passage(Protocol):
    """A passage that was found, with the file that it is from."""

    @property
    def file_id(self) -> str: ...
    @property
    def file_name(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, str | float | bool]: ...
    @property
    def score(self) -> float: ...
    @property
    def text(self) -> str: ...
    @property
    def heading(self) -> str: ...
    @property
    def place(self) -> str | None: ...


class PassageSearch(Protocol):
    """Searches in vector stores."""

    async def search(
        self,
        project: str,
        store_ids: Sequence[str],
        queries: Sequence[str],
        *,
        limit: int,
        ranking: SearchRanking | None = None,
    ) -> Sequence[Passage]:
        """The best passages of all queries, best first."""
        ...


class FileSearchServer:
    """Serves `file_search`. A search changes nothing, so one that was interrupted is repeated."""

    kind = citations.FILE_SEARCH
    on_interrupt: OnInterrupt = "retry"
    timeout = 100.0
    """A minute for files that are being indexed, and the time of a search."""

    def __init__(self, search: PassageSearch) -> None:
        self._search = search

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    def functions(self, run: Run) -> Sequence[Function]:
        return [_FUNCTION]

    def show(self, call: Call, run: Run) -> FileSearchCall:
        return _shown(call, _settings(run), [])

    async def run(self, call: Call, session: ToolSession) -> ToolResult:
        queries, settings = _queries(call.arguments), _settings(session.run)
        room = min(session.room, _MAX_TOKENS)
        limit = settings.max_num_results or (_RESULTS if room >= _SMALL_ROOM else _FEW_RESULTS)
        try:
            stores = await session.vector_stores()
            if not stores.ids:
                return ToolResult(output=_NO_FILES, shown=_shown(call, settings, []))
            found = await self._search.search(
                session.project, stores.ids, queries, limit=limit, ranking=_ranking(settings.ranking_options)
            )
        except Unreachable as error:
            raise ToolError("The files cannot be searched at the moment. Try again later.") from error
        given, texts = _fitting(found, session.number, room)
        notes = () if stores.ready else (_NOT_READY,)
        output = "\n\n".join([_output(texts, len(found)), *notes])
        return ToolResult(output=output, shown=_shown(call, settings, given))


def _queries(arguments: str) -> list[str]:
    """The queries of a call, by whatever names: models remember this function from elsewhere as `queries` or `q`."""
    try:
        given = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        raise ToolError(_ARGUMENTS) from None
    values = list(given.values()) if isinstance(given, dict) else [given]
    asked = [query for value in values for query in (value if isinstance(value, list) else [value])]
    if not all(isinstance(query, str) for query in asked):
        raise ToolError(_ARGUMENTS)
    queries = list(dict.fromkeys(query.strip()[:_MAX_QUERY] for query in asked if query.strip()))
    if not queries:
        raise ToolError(f"There is no query. {_ARGUMENTS}")
    return queries[:_MAX_QUERIES]


def _settings(run: Run) -> FileSearchSettings:
    return next((tool.file_search for tool in run.tools if isinstance(tool, FileSearchTool)), FileSearchSettings())


def _ranking(options: RankingOptions) -> SearchRanking:
    return SearchRanking(
        ranker=options.ranker, score_threshold=options.score_threshold, hybrid_search=options.hybrid_search
    )


def _fitting(found: Sequence[Passage], search: int, room: int) -> tuple[list[FileSearchResult], list[str]]:
    """The passages that fit the room, as results and as texts for the model. The last one may be cut."""
    given: list[FileSearchResult] = []
    texts: list[str] = []
    left = room - tokens.of_text(_HEAD)
    for number, passage in enumerate(found):
        head = _head(passage, citations.marker((search, number), passage.file_name))
        left -= tokens.of_text(head) + 2
        text = _cut(passage.text, left)
        if not text:
            break
        texts.append(f"{head}\n{citations.without_markers(text)}")
        given.append(_result(passage, text))
        left -= tokens.of_text(text)
        if len(text) < len(passage.text):
            break
    return given, texts


def _head(passage: Passage, marker: str) -> str:
    where = " · ".join(part for part in (passage.place, passage.heading) if part)
    return f"{marker} ({citations.without_markers(where)})" if where else marker


def _cut(text: str, left: int) -> str:
    """As much of the text as has `left` tokens, about; nothing if that is hardly any."""
    size = tokens.of_text(text)
    if size <= left:
        return text
    if left < _MIN_TOKENS:
        return ""
    part = text[: len(text) * left // size]
    while tokens.of_text(part) > left:  # the beginning has more bytes a character than the rest
        part = part[: len(part) * 3 // 4]
    return part


def _output(texts: Sequence[str], found: int) -> str:
    if not texts:
        return _NO_ROOM if found else _NOTHING
    parts = [_HEAD, *texts]
    if len(texts) < found:
        parts.append(f"[{found - len(texts)} more passages were found. They do not fit into the prompt.]")
    return "\n\n".join(parts)


def _result(passage: Passage, text: str) -> FileSearchResult:
    content: list[dict[str, Any]] = [{"type": "text", "text": text}]
    return FileSearchResult(
        file_id=passage.file_id,
        file_name=passage.file_name,
        score=passage.score,
        attributes=dict(passage.attributes),
        content=content,
    )


def _shown(call: Call, settings: FileSearchSettings, results: Sequence[FileSearchResult]) -> FileSearchCall:
    options = settings.ranking_options
    ranking = {"ranker": options.ranker, "score_threshold": options.score_threshold}
    return FileSearchCall(id=call.id, file_search=FileSearch(ranking_options=ranking, results=list(results)))
