"""Tool resources: which vector stores and files the tools get."""

import pytest

from runstead.domain.tool_resources import check_one_way, store_ids, with_code_file, with_store
from runstead.wire.error import BadRequest
from runstead.wire.tool import CodeInterpreterResources, FileSearchResources, NewVectorStore, ToolResources

NAMED = ToolResources(file_search=FileSearchResources(vector_store_ids=["vs_1"]))


@pytest.mark.parametrize("nothing", [None, ToolResources(), ToolResources(file_search=FileSearchResources())])
def test_resources_without_a_vector_store_name_none(nothing: ToolResources | None) -> None:
    assert store_ids(nothing) == ()
    assert with_store(nothing, "vs_1") == NAMED
    assert store_ids(NAMED) == ["vs_1"]


def test_vector_stores_are_named_or_made_but_not_both() -> None:
    made = FileSearchResources(vector_stores=[NewVectorStore(file_ids=["file-1"])])
    check_one_way(NAMED)
    check_one_way(ToolResources(file_search=made))
    both = FileSearchResources(vector_store_ids=["vs_1"], vector_stores=[NewVectorStore()])
    with pytest.raises(BadRequest) as refused:
        check_one_way(ToolResources(file_search=both))
    assert refused.value.message == (
        "Invalid 'tool_resources.file_search.vector_stores': "
        "give either 'vector_store_ids' or 'vector_stores', not both."
    )
    assert (refused.value.param, refused.value.code) == ("tool_resources.file_search.vector_stores", "invalid_value")


def test_the_code_interpreter_gets_twenty_files_at_most_and_none_twice() -> None:
    resources = ToolResources()
    for number in [*range(20), 7]:
        resources = with_code_file(resources, f"file-{number}")
    assert resources.code_interpreter == CodeInterpreterResources(file_ids=[f"file-{number}" for number in range(20)])
    with pytest.raises(BadRequest) as refused:
        with_code_file(resources, "file-20")
    assert refused.value.message == (
        "Invalid 'tool_resources.code_interpreter.file_ids': array too long. "
        "Expected an array with maximum length 20, but got an array with length 21 instead."
    )
    assert refused.value.code == "array_above_max_length"
