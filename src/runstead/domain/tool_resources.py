"""Tool resources: the files and vector stores that the tools of an assistant or a thread may use."""

from collections.abc import Sequence

from msgspec import UNSET
from msgspec.structs import replace

from runstead.wire.error import BadRequest
from runstead.wire.tool import CodeInterpreterResources, FileSearchResources, ToolResources

__all__ = ["check_one_way", "store_ids", "with_code_file", "with_store"]

_MAX_CODE_FILES = 20


def store_ids(resources: ToolResources | None) -> Sequence[str]:
    """The vector stores that a file search may use."""
    if resources is None or resources.file_search is UNSET or resources.file_search.vector_store_ids is UNSET:
        return ()
    return resources.file_search.vector_store_ids


def check_one_way(resources: ToolResources, param: str = "tool_resources") -> None:
    """Vector stores are named or created, not both."""
    search = resources.file_search
    if search is not UNSET and search.vector_stores is not UNSET and search.vector_store_ids is not UNSET:
        raise BadRequest(
            f"Invalid '{param}.file_search.vector_stores': give either 'vector_store_ids' or 'vector_stores', not "
            "both.",
            param=f"{param}.file_search.vector_stores",
            code="invalid_value",
        )


def with_store(resources: ToolResources | None, store_id: str) -> ToolResources:
    """The resources with this vector store for file searches."""
    return replace(resources or ToolResources(), file_search=FileSearchResources(vector_store_ids=[store_id]))


def with_code_file(resources: ToolResources | None, file_id: str) -> ToolResources:
    """The resources with one more file for the code interpreter, which has 20 at most."""
    given = resources or ToolResources()
    known = [] if given.code_interpreter is UNSET else given.code_interpreter.file_ids
    if file_id in known:
        return given
    if len(known) >= _MAX_CODE_FILES:
        param = "tool_resources.code_interpreter.file_ids"
        raise BadRequest(
            f"Invalid '{param}': array too long. Expected an array with maximum length {_MAX_CODE_FILES}, but got an "
            f"array with length {len(known) + 1} instead.",
            param=param,
            code="array_above_max_length",
        )
    return replace(given, code_interpreter=CodeInterpreterResources(file_ids=[*known, file_id]))
