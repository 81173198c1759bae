"""A search in a vector store."""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType, field

from runstead.wire.file import FileId
from runstead.wire.filter import Filter
from runstead.wire.hybrid import HybridWeights
from runstead.wire.struct import Object, Request

__all__ = [
    "FileContentPage",
    "SearchRanking",
    "SearchRequest",
    "SearchResult",
    "SearchResultsPage",
    "TextContent",
]

_QueryText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=10_000)]


class SearchRanking(Request, frozen=True, kw_only=True):
    """How results are scored, and the lowest score of a result."""

    ranker: Literal["none", "auto", "default-2024-11-15", "default_2024_08_21"] = "auto"
    score_threshold: Annotated[float, Meta(ge=0, le=1)] = 0.0
    hybrid_search: HybridWeights | None | UnsetType = UNSET


class SearchRequest(Request, frozen=True, kw_only=True):
    """Searches a vector store."""

    query: _QueryText | Annotated[list[_QueryText], Meta(min_length=1, max_length=20)]
    rewrite_query: bool | None | UnsetType = UNSET
    """Drop words from the query that say nothing about its subject. The default is False."""
    max_num_results: Annotated[int, Meta(ge=1, le=50)] | None | UnsetType = UNSET
    """The default is 10."""
    filters: Filter | None | UnsetType = UNSET
    ranking_options: SearchRanking | None | UnsetType = UNSET


class TextContent(Object, frozen=True, kw_only=True):
    """A part of a file's text."""

    type: Literal["text"] = "text"
    text: str


class SearchResult(Object, frozen=True, kw_only=True):
    """A passage that was found."""

    file_id: FileId
    filename: str
    score: float
    """From 0 to 1."""
    attributes: dict[str, str | bool | int | float] = field(default_factory=dict)
    content: list[TextContent]
    start: int = 0
    end: int = 0
    """An extension: where the passage is in the text of the file, in characters."""
    heading: str = ""
    """An extension: the headings above the passage."""
    place: str | None = None
    """An extension: the page, slide or sheet where the passage begins."""


class SearchResultsPage(Object, frozen=True, kw_only=True):
    """The passages that were found, best first."""

    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    search_query: list[str]
    """The queries as they were searched."""
    data: list[SearchResult]
    has_more: bool = False
    next_page: str | None = None


class FileContentPage(Object, frozen=True, kw_only=True):
    """The text of a file, as it was read from the document."""

    object: Literal["vector_store.file_content.page"] = "vector_store.file_content.page"
    data: list[TextContent]
    has_more: bool = False
    next_page: str | None = None
