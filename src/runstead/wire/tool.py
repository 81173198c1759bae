"""The tools of an assistant, the choice among them, and the calls of functions."""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType, field

from runstead.wire.chunking import Chunking
from runstead.wire.hybrid import HybridWeights
from runstead.wire.struct import Metadata, Name, Object, Request

__all__ = [
    "CodeInterpreterResources",
    "CodeInterpreterTool",
    "FileSearchResources",
    "FileSearchSettings",
    "FileSearchTool",
    "Function",
    "FunctionCall",
    "FunctionName",
    "FunctionTool",
    "NamedToolChoice",
    "NewVectorStore",
    "RankingOptions",
    "RequiredFunctionCall",
    "Tool",
    "ToolChoice",
    "ToolOutput",
    "ToolResources",
    "Tools",
]

FunctionParameters: TypeAlias = dict[str, Any]


def _no_parameters() -> FunctionParameters:
    return {"type": "object", "properties": {}}


class Function(Request, frozen=True, kw_only=True):
    """A function that the model may call. A call of a client's function makes the run wait: `requires_action`."""

    name: Name
    description: str | UnsetType = UNSET
    parameters: FunctionParameters = field(default_factory=_no_parameters)
    """The parameters, as a JSON Schema. The default has none."""
    strict: bool = False


class RankingOptions(Request, frozen=True, kw_only=True):
    """How search results are scored, and the lowest score of a result."""

    ranker: Literal["auto", "default_2024_08_21"] = "default_2024_08_21"
    score_threshold: Annotated[float, Meta(ge=0, le=1)] = 0.0
    hybrid_search: HybridWeights | None = None


class FileSearchSettings(Request, frozen=True, kw_only=True):
    """Settings of the file search tool."""

    max_num_results: Annotated[int, Meta(ge=1, le=50)] | UnsetType = UNSET
    ranking_options: RankingOptions = RankingOptions()


class FunctionTool(Request, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A function of the client."""

    function: Function


class FileSearchTool(Request, frozen=True, kw_only=True, tag_field="type", tag="file_search"):
    """Searches the vector stores of the assistant and the thread."""

    file_search: FileSearchSettings = FileSearchSettings()


class CodeInterpreterTool(Request, frozen=True, kw_only=True, tag_field="type", tag="code_interpreter"):
    """Executes code that the model writes."""


Tool: TypeAlias = FunctionTool | FileSearchTool | CodeInterpreterTool
Tools: TypeAlias = Annotated[list[Tool], Meta(max_length=128)]


class FunctionName(Request, frozen=True, kw_only=True):
    """A function, by name."""

    name: str


class NamedToolChoice(Request, frozen=True, kw_only=True):
    """The model must use this tool. `function` is required if `type` is `function`."""

    type: Literal["function", "file_search", "code_interpreter"]
    function: FunctionName | UnsetType = UNSET


ToolChoice: TypeAlias = Literal["none", "auto", "required"] | NamedToolChoice
"""`required`: the model must call at least one tool. `none`: it must not call any. `auto`: it decides."""


class CodeInterpreterResources(Request, frozen=True, kw_only=True):
    """The ids of files that the code may read."""

    file_ids: Annotated[list[str], Meta(max_length=20)] = field(default_factory=list)


class NewVectorStore(Request, frozen=True, kw_only=True):
    """A vector store that is created for the tool, with files."""

    file_ids: Annotated[list[str], Meta(max_length=500)] | UnsetType = UNSET
    chunking_strategy: Chunking | None | UnsetType = UNSET
    metadata: Metadata | None | UnsetType = UNSET


class FileSearchResources(Request, frozen=True, kw_only=True):
    """The vector store to search in: at most one."""

    vector_store_ids: Annotated[list[str], Meta(max_length=1)] | UnsetType = UNSET
    vector_stores: Annotated[list[NewVectorStore], Meta(max_length=1)] | UnsetType = UNSET
    """Creates a vector store from files, instead of naming one."""


class ToolResources(Request, frozen=True, kw_only=True):
    """The files and vector stores that the tools of an assistant or a thread may use."""

    code_interpreter: CodeInterpreterResources | UnsetType = UNSET
    file_search: FileSearchResources | UnsetType = UNSET


class FunctionCall(Object, frozen=True, kw_only=True):
    """A function with its arguments: JSON in a string, as the model wrote it."""

    name: str
    arguments: str


class RequiredFunctionCall(Object, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A call whose output the client must submit."""

    id: str
    function: FunctionCall


class ToolOutput(Request, frozen=True, kw_only=True):
    """The output of a function for one call. A function without a result has an empty output."""

    tool_call_id: str
    output: str = ""
    type: Literal["function_call_output", "function"] | UnsetType = UNSET
    """Some clients send it. It has no other value, and no effect."""
