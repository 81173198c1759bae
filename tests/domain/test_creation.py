"""New and updated objects from requests."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from runstead.domain import creation
from runstead.wire.assistant import Assistant, AssistantRequest, AssistantUpdate
from runstead.wire.content import ImageUrl, ImageUrlPart, Text, TextInput, TextPart
from runstead.wire.error import BadRequest
from runstead.wire.message import Attachment, MessageRequest
from runstead.wire.options import JsonSchema, JsonSchemaFormat, ObjectFormat, TruncationStrategy
from runstead.wire.run import Run, RunRequest, Status, ThreadRunRequest
from runstead.wire.thread import Thread, ThreadRequest, ThreadUpdate
from runstead.wire.tool import (
    CodeInterpreterResources,
    CodeInterpreterTool,
    FileSearchResources,
    FileSearchTool,
    Function,
    FunctionTool,
    NewVectorStore,
    ToolResources,
)
from tests.domain.things import WEATHER

TOOL = FunctionTool(function=WEATHER)
RESOURCES = ToolResources(file_search=FileSearchResources(vector_store_ids=["vs_1"]))
BOTH = ToolResources(file_search=FileSearchResources(vector_store_ids=["vs_1"], vector_stores=[NewVectorStore()]))
BIG = FunctionTool(function=Function(name="big", parameters={"description": "x" * 1024 * 1024}))
BIG_FORMAT = JsonSchemaFormat(json_schema=JsonSchema(name="big", schema={"description": "x" * 1024 * 1024}))
BIG_RESOURCES = ToolResources(file_search=FileSearchResources(vector_store_ids=["x" * 1024 * 1024]))


def assistant(**fields: Any) -> Assistant:
    return creation.assistant(AssistantRequest(model="m", **fields), "asst_1", 100)


def run(of: Assistant | None = None, /, **fields: Any) -> Run:
    request = RunRequest(assistant_id="asst_1", **fields)
    return creation.run(request, of or assistant(), "run_1", "thread_1", 100, 600)


def updated(before: Assistant, **fields: Any) -> Assistant:
    return creation.updated_assistant(before, AssistantUpdate(**fields))


@pytest.mark.parametrize(
    "make",
    [
        lambda: assistant(tool_resources=BOTH),
        lambda: updated(assistant(), tool_resources=BOTH),
        lambda: creation.thread(ThreadRequest(tool_resources=BOTH), "thread_1", 100),
        lambda: creation.updated_thread(
            Thread(id="thread_1", created_at=100, metadata={}), ThreadUpdate(tool_resources=BOTH)
        ),
    ],
)
def test_every_request_that_both_names_and_makes_a_vector_store_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(BadRequest) as refused:
        make()
    assert refused.value.param == "tool_resources.file_search.vector_stores"


@pytest.mark.parametrize("kind", [RunRequest, ThreadRunRequest])
class TestToolResourcesOfARun:
    @pytest.mark.parametrize(
        "empty",
        [
            None,
            ToolResources(),
            ToolResources(code_interpreter=CodeInterpreterResources(), file_search=FileSearchResources()),
            ToolResources(file_search=FileSearchResources(vector_store_ids=[])),
        ],
    )
    def test_are_its_assistants_if_the_request_names_none(
        self, kind: type[RunRequest | ThreadRunRequest], empty: ToolResources | None
    ) -> None:
        request = kind(assistant_id="asst_1", tool_resources=empty)
        made = creation.run(request, assistant(tool_resources=RESOURCES), "run_1", "thread_1", 100, 600)
        assert made.tool_resources == RESOURCES

    def test_replace_those_of_the_assistant_for_each_tool(self, kind: type[RunRequest | ThreadRunRequest]) -> None:
        code = CodeInterpreterResources(file_ids=["file-1"])
        request = kind(assistant_id="asst_1", tool_resources=ToolResources(code_interpreter=code))
        made = creation.run(request, assistant(tool_resources=RESOURCES), "run_1", "thread_1", 100, 600)
        assert made.tool_resources == ToolResources(code_interpreter=code, file_search=RESOURCES.file_search)


class TestAssistant:
    @pytest.mark.parametrize("absent", [{}, dict.fromkeys(["temperature", "top_p", "metadata", "response_format"])])
    def test_absent_and_null_fields_are_echoed_as_their_defaults(self, absent: dict[str, None]) -> None:
        made = assistant(**absent)
        assert (made.temperature, made.top_p, made.response_format) == (1.0, 1.0, "auto")
        assert (made.tools, made.metadata, made.tool_resources) == ([], {}, ToolResources())
        assert (made.name, made.description, made.instructions, made.reasoning_effort) == (None, None, None, None)

    def test_given_fields_are_kept(self) -> None:
        given = {
            "name": "Ann",
            "description": "Helps.",
            "instructions": "Help.",
            "tools": [TOOL],
            "metadata": {"a": "b"},
            "temperature": 0.5,
            "top_p": 0.25,
            "reasoning_effort": "low",
            "response_format": ObjectFormat(),
        }
        made = assistant(**given)
        assert {name: getattr(made, name) for name in given} == given

    def test_an_enabled_tool_shows_its_resources(self) -> None:
        made = assistant(tools=[CodeInterpreterTool(), FileSearchTool()])
        assert made.tool_resources == ToolResources(
            code_interpreter=CodeInterpreterResources(file_ids=[]), file_search=FileSearchResources(vector_store_ids=[])
        )
        assert assistant(tools=[FileSearchTool()], tool_resources=RESOURCES).tool_resources == RESOURCES

    def test_an_update_changes_only_the_given_fields(self) -> None:
        before = assistant(name="Ann", instructions="Help.", tools=[TOOL], metadata={"a": "b"}, temperature=0.5)
        assert updated(before) == before
        after = updated(before, name="Bea")
        assert after == msgspec.structs.replace(before, name="Bea")

    def test_null_clears(self) -> None:
        before = assistant(name="Ann", instructions="Help.", metadata={"a": "b"}, temperature=0.5)
        after = updated(before, name=None, instructions=None, metadata=None, temperature=None)
        assert (after.name, after.instructions, after.metadata, after.temperature) == (None, None, {}, 1.0)

    def test_a_tool_enabled_by_an_update_shows_its_resources(self) -> None:
        after = updated(assistant(), tools=[CodeInterpreterTool()])
        assert after.tool_resources == ToolResources(code_interpreter=CodeInterpreterResources(file_ids=[]))

    def test_an_assistant_with_wrong_tools_is_refused(self) -> None:
        with pytest.raises(BadRequest, match="used twice"):
            assistant(tools=[TOOL, TOOL])
        with pytest.raises(BadRequest, match="used twice"):
            updated(assistant(), tools=[TOOL, TOOL])


class TestThread:
    @pytest.mark.parametrize("nothing", [{}, {"metadata": None, "tool_resources": None, "on_busy": None}])
    def test_a_thread_from_an_empty_request_has_all_fields(self, nothing: dict[str, Any]) -> None:
        made = creation.thread(ThreadRequest(**nothing), "thread_1", 100)
        assert made == Thread(id="thread_1", created_at=100, tool_resources=ToolResources(), metadata={})

    def test_an_update_changes_the_given_fields_and_null_clears(self) -> None:
        before = creation.thread(ThreadRequest(metadata={"a": "b"}, tool_resources=RESOURCES), "thread_1", 100)
        assert creation.updated_thread(before, ThreadUpdate()) == before
        assert creation.updated_thread(before, ThreadUpdate(metadata={})).tool_resources == RESOURCES
        cleared = creation.updated_thread(before, ThreadUpdate(metadata=None, tool_resources=None))
        assert (cleared.metadata, cleared.tool_resources) == ({}, ToolResources())

    def test_on_busy_is_shown_only_if_it_was_set(self) -> None:
        made = creation.thread(ThreadRequest(on_busy="enqueue"), "thread_1", 100)
        assert msgspec.to_builtins(made)["on_busy"] == "enqueue"
        assert creation.updated_thread(made, ThreadUpdate(on_busy="interrupt")).on_busy == "interrupt"
        assert "on_busy" not in msgspec.to_builtins(creation.updated_thread(made, ThreadUpdate(on_busy=None)))


class TestMessage:
    def test_a_string_becomes_one_text_part(self) -> None:
        made = creation.message(MessageRequest(role="user", content="Hi"), "msg_1", "thread_1", 100)
        assert made.content == [TextPart(text=Text(value="Hi", annotations=[]))]
        assert (made.status, made.completed_at, made.created_at, made.role) == ("completed", 100, 100, "user")
        assert (made.assistant_id, made.run_id, made.attachments, made.metadata) == (None, None, [], {})

    def test_parts_are_kept_in_order(self) -> None:
        picture = ImageUrlPart(image_url=ImageUrl(url="https://a.example/b.png"))
        assert creation.content([TextInput(text="See"), picture]) == [TextPart(text=Text(value="See")), picture]

    def test_attachments_and_metadata_are_kept(self) -> None:
        attached = [Attachment(file_id="file-1")]
        request = MessageRequest(role="assistant", content="Hi", attachments=attached, metadata={"a": "b"})
        made = creation.message(request, "msg_1", "thread_1", 100)
        assert (made.role, made.attachments, made.metadata) == ("assistant", attached, {"a": "b"})


class TestRun:
    def test_a_new_run_is_queued_and_has_a_deadline(self) -> None:
        made = run()
        assert (made.status, made.created_at, made.expires_at, made.started_at) == (Status.QUEUED, 100, 700, None)
        assert (made.assistant_id, made.thread_id, made.usage) == ("asst_1", "thread_1", None)

    def test_absent_fields_of_a_run_are_echoed_as_their_defaults(self) -> None:
        made = run()
        assert (made.tool_choice, made.parallel_tool_calls, made.response_format) == ("auto", True, "auto")
        assert (made.temperature, made.top_p, made.truncation_strategy) == (1.0, 1.0, TruncationStrategy())
        assert (made.max_prompt_tokens, made.max_completion_tokens, made.metadata) == (None, None, {})
        assert made.instructions is None

    def test_absent_fields_of_a_run_are_copied_from_the_assistant(self) -> None:
        of = assistant(
            instructions="Help.",
            tools=[TOOL],
            temperature=0.5,
            top_p=0.25,
            reasoning_effort="low",
            response_format=ObjectFormat(),
            metadata={"not": "inherited"},
        )
        made = run(of)
        assert (made.model, made.instructions, made.tools) == ("m", "Help.", [TOOL])
        assert (made.temperature, made.top_p, made.reasoning_effort) == (0.5, 0.25, "low")
        assert made.response_format == ObjectFormat()
        assert made.metadata == {}

    def test_given_fields_of_a_run_replace_those_of_the_assistant(self) -> None:
        of = assistant(instructions="Help.", tools=[TOOL], temperature=0.5, top_p=0.25, reasoning_effort="low")
        made = run(
            of, model="n", instructions="Stop.", tools=[], temperature=0.0, top_p=1.0, reasoning_effort="high",
            metadata={"a": "b"}, max_prompt_tokens=300, max_completion_tokens=400, parallel_tool_calls=False,
            truncation_strategy=TruncationStrategy(type="last_messages", last_messages=2), tool_choice="none",
        )  # fmt: skip
        assert (made.model, made.instructions, made.tools) == ("n", "Stop.", [])
        assert (made.temperature, made.top_p, made.reasoning_effort) == (0.0, 1.0, "high")
        assert (made.max_prompt_tokens, made.max_completion_tokens) == (300, 400)
        assert (made.parallel_tool_calls, made.tool_choice, made.metadata) == (False, "none", {"a": "b"})
        assert made.truncation_strategy == TruncationStrategy(type="last_messages", last_messages=2)

    @pytest.mark.parametrize(
        ("given", "expires"), [({}, 700), ({"expires_after": None}, 700), ({"expires_after": 5}, 105)]
    )
    def test_a_run_expires_after_the_given_or_the_default_lifetime(self, given: dict[str, Any], expires: int) -> None:
        assert run(**given).expires_at == expires

    def test_budgets_are_shown_only_if_they_were_set(self) -> None:
        budgets = {"max_total_tokens": 1, "max_tool_calls": 2, "max_seconds": 3}
        assert {name: getattr(run(**budgets), name) for name in budgets} == budgets
        for made in (run(), run(**dict.fromkeys(budgets))):
            assert not budgets.keys() & msgspec.to_builtins(made).keys()

    @pytest.mark.parametrize(
        ("own", "instructions", "more", "expected"),
        [
            ("Help.", None, None, "Help."),
            ("Help.", None, "Be brief.", "Help.\n\nBe brief."),
            ("Help.", "Stop.", "Be brief.", "Stop.\n\nBe brief."),
            (None, None, "Be brief.", "Be brief."),
            (None, None, None, None),
            ("Help.", "", None, ""),
        ],
    )
    def test_additional_instructions_are_appended(
        self, own: str | None, instructions: str | None, more: str | None, expected: str | None
    ) -> None:
        assert run(
            assistant(instructions=own), instructions=instructions, additional_instructions=more
        ).instructions == (expected)

    def test_a_run_created_with_its_thread_follows_the_same_rules(self) -> None:
        request = ThreadRunRequest(assistant_id="asst_1", instructions="Stop.")
        made = creation.run(request, assistant(instructions="Help."), "run_1", "thread_1", 100, 600)
        assert made.instructions == "Stop."

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"tools": [TOOL, TOOL]}, "used twice"),
            ({"tools": [FileSearchTool()]}, "not available"),
            ({"tool_choice": "required"}, "at least one tool"),
            ({"truncation_strategy": TruncationStrategy(type="last_messages")}, "last_messages"),
        ],
    )
    def test_fields_that_do_not_fit_together_are_refused(self, fields: dict[str, Any], words: str) -> None:
        with pytest.raises(BadRequest, match=words):
            run(**fields)


@pytest.mark.parametrize(
    "make",
    [
        lambda: assistant(tools=[BIG]),
        lambda: updated(assistant(), tools=[BIG]),
        lambda: run(tools=[BIG]),
        lambda: assistant(response_format=BIG_FORMAT),
        lambda: run(response_format=BIG_FORMAT),
        lambda: creation.thread(ThreadRequest(tool_resources=BIG_RESOURCES), "thread_1", 100),
    ],
)
def test_schemas_and_resources_of_more_than_a_megabyte_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(BadRequest, match=r"bytes of JSON. At most 1,048,576 are accepted"):
        make()
