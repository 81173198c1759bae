"""Tools an assistant may use, the choice among them, and the calls that a run makes."""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType, field

from runstead.wire.struct import Name, Object, Request

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
    """A function that the client runs: the run stops in `requires_action` and asks for its output."""

    name: Name
    description: str | None | UnsetType = UNSET
    parameters: FunctionParameters = field(default_factory=_no_parameters)
    """The arguments, as a JSON Schema object. Without one the function takes none."""
    strict: bool | None = False


class RankingOptions(Request, frozen=True, kw_only=True):
    """How search results are scored, and from which score on they count."""

    ranker: Literal["auto", "default_2024_08_21"] = "default_2024_08_21"
    score_threshold: Annotated[float, Meta(ge=0, le=1)] = 0.0
    hybrid_search: dict[str, float] | None = None


class FileSearchSettings(Request, frozen=True, kw_only=True):
    """Settings of the file search tool."""

    max_num_results: Annotated[int, Meta(ge=1, le=50)] | UnsetType = UNSET
    ranking_options: RankingOptions = RankingOptions()


class FunctionTool(Request, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A tool that the client runs."""

    function: Function


class FileSearchTool(Request, frozen=True, kw_only=True, tag_field="type", tag="file_search"):
    """Search in the assistant's and the thread's vector stores."""

    file_search: FileSearchSettings = FileSearchSettings()


class CodeInterpreterTool(Request, frozen=True, kw_only=True, tag_field="type", tag="code_interpreter"):
    """Run code that the model writes."""


Tool: TypeAlias = FunctionTool | FileSearchTool | CodeInterpreterTool
Tools: TypeAlias = Annotated[list[Tool], Meta(max_length=128)]


class FunctionName(Request, frozen=True, kw_only=True):
    """A function, by name."""

    name: str


class NamedToolChoice(Request, frozen=True, kw_only=True):
    """Forces one tool; `function` names which, when `type` is `function`."""

    type: Literal["function", "file_search", "code_interpreter"]
    function: FunctionName | UnsetType = UNSET


ToolChoice: TypeAlias = Literal["none", "auto", "required"] | NamedToolChoice
"""`required`: at least one tool before answering; `none`: no tools."""


class CodeInterpreterResources(Request, frozen=True, kw_only=True):
    """Files that the code may read."""

    file_ids: Annotated[list[str], Meta(max_length=20)] = field(default_factory=list)


class FileSearchResources(Request, frozen=True, kw_only=True):
    """The vector store to search in: at most one."""

    vector_store_ids: Annotated[list[str], Meta(max_length=1)] | UnsetType = UNSET
    vector_stores: Annotated[list[dict[str, Any]], Meta(max_length=1)] | UnsetType = UNSET
    """Make a store from files at once, instead of naming one."""


class ToolResources(Request, frozen=True, kw_only=True):
    """What the tools of an assistant or a thread may use."""

    code_interpreter: CodeInterpreterResources | UnsetType = UNSET
    file_search: FileSearchResources | UnsetType = UNSET


class FunctionCall(Object, frozen=True, kw_only=True):
    """A function with its arguments, a string that the model wrote as JSON."""

    name: str
    arguments: str


class RequiredFunctionCall(Object, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A call that waits for its output."""

    id: str
    function: FunctionCall


class ToolOutput(Request, frozen=True, kw_only=True):
    """What a function gave back, for the call that asked for it."""

    tool_call_id: str
    output: str
