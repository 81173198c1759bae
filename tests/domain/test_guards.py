"""The guards, and the messages of their errors, which clients know."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from msgspec import UNSET

from runstead.domain import guards
from runstead.domain.chat.offer import Offer
from runstead.wire.error import BadRequest
from runstead.wire.message import MessageRequest
from runstead.wire.options import TruncationStrategy
from runstead.wire.run import RequiredAction, RequiredToolOutputs, Run, Status
from runstead.wire.tool import (
    CodeInterpreterTool,
    FileSearchTool,
    Function,
    FunctionCall,
    FunctionName,
    FunctionTool,
    NamedToolChoice,
    RequiredFunctionCall,
    Tool,
    ToolChoice,
    ToolOutput,
)
from tests.domain.things import WEATHER, run

TOOL = FunctionTool(function=WEATHER)
NAMED = NamedToolChoice(type="function", function=FunctionName(name="weather"))


def refusal(guard: Callable[[], object]) -> BadRequest:
    with pytest.raises(BadRequest) as refused:
        guard()
    return refused.value


def waiting(*call_ids: str, **fields: Any) -> Run:
    calls = [RequiredFunctionCall(id=id, function=FunctionCall(name="weather", arguments="{}")) for id in call_ids]
    action = RequiredAction(submit_tool_outputs=RequiredToolOutputs(tool_calls=calls))
    return run(status=Status.REQUIRES_ACTION, required_action=action, **{"expires_at": 700} | fields)


def outputs(*call_ids: str) -> list[ToolOutput]:
    return [ToolOutput(tool_call_id=id, output=f"output of {id}") for id in call_ids]


def test_the_errors_of_a_busy_thread_name_the_thread_and_the_run() -> None:
    locked = guards.thread_locked("thread_1", "run_1")
    assert locked.message == "Can't add messages to thread_1 while a run run_1 is active."
    assert guards.thread_busy("thread_1", "run_1").message == "Thread thread_1 already has an active run run_1."


@pytest.mark.parametrize("status", [status for status in Status if status.terminal or status is Status.CANCELLING])
def test_a_run_that_has_ended_or_is_cancelling_cannot_be_cancelled(status: Status) -> None:
    refused = refusal(lambda: guards.check_cancel(run(status=status)))
    assert refused.message == f"Cannot cancel run with status '{status}'."


@pytest.mark.parametrize("status", [Status.QUEUED, Status.IN_PROGRESS, Status.REQUIRES_ACTION])
def test_any_other_run_can_be_cancelled(status: Status) -> None:
    guards.check_cancel(run(status=status))


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.REQUIRES_ACTION])
def test_only_a_run_in_requires_action_accepts_outputs(status: Status) -> None:
    refused = refusal(lambda: guards.check_outputs(run(status=status), outputs("call_a")))
    assert refused.message == f'Runs in status "{status}" do not accept tool outputs.'


def test_outputs_are_accepted_in_any_order() -> None:
    taken = guards.check_outputs(waiting("call_a", "call_b"), outputs("call_b", "call_a"))
    assert taken == {"call_a": "output of call_a", "call_b": "output of call_b"}


@pytest.mark.parametrize("got", [[], ["call_a"], ["call_a", "call_x"], ["call_a", "call_a"], ["call_a", "call_b", "x"]])
def test_missing_unknown_and_duplicate_outputs_are_refused(got: list[str]) -> None:
    refused = refusal(lambda: guards.check_outputs(waiting("call_a", "call_b"), outputs(*got)))
    assert refused.message == f"Expected tool outputs for call_ids ['call_a', 'call_b'], got {got!r}"


def test_outputs_after_the_deadline_are_refused_as_if_the_run_had_ended() -> None:
    guards.check_not_past_deadline(waiting("call_a", expires_at=700), 699)
    refused = refusal(lambda: guards.check_not_past_deadline(waiting("call_a", expires_at=700), 700))
    assert refused.message == 'Runs in status "expired" do not accept tool outputs.'
    guards.check_not_past_deadline(waiting("call_a", max_seconds=50), 149)
    refused = refusal(lambda: guards.check_not_past_deadline(waiting("call_a", max_seconds=50), 150))
    assert refused.message == 'Runs in status "incomplete" do not accept tool outputs.'


def test_a_message_created_with_a_run_or_a_thread_has_no_on_busy() -> None:
    alone = MessageRequest(role="user", content="Hi", on_busy="reject")
    silent = [MessageRequest(role="user", content="Hi"), MessageRequest(role="user", content="Hi", on_busy=None)]
    guards.check_no_on_busy(silent, "messages")
    refused = refusal(lambda: guards.check_no_on_busy([*silent, alone], "messages"))
    assert (refused.param, refused.code) == ("messages[2].on_busy", "unsupported_parameter")


def test_a_run_needs_a_message_or_instructions() -> None:
    guards.check_has_input(run(), empty_thread=False)
    guards.check_has_input(run(instructions="Say hello."), empty_thread=True)
    refused = refusal(lambda: guards.check_has_input(run(), empty_thread=True))
    assert refused.message == "Run creation requires a Thread with a user message or an assistant with instructions."
    assert refused.code == "invalid_thread"


def test_two_functions_with_the_same_name_are_refused() -> None:
    guards.check_tools([TOOL, FunctionTool(function=Function(name="time")), CodeInterpreterTool()])
    refused = refusal(lambda: guards.check_tools([TOOL, TOOL]))
    assert (refused.param, refused.code) == ("tools", "invalid_value")
    assert "'weather' is used twice" in refused.message


def test_a_function_of_the_client_and_one_of_a_tool_may_not_share_a_name() -> None:
    search = Function(name="search")
    guards.check_offers([Offer("function", WEATHER), Offer("file_search", search)])
    offered = [Offer("function", search), Offer("file_search", search)]
    for order in (offered, offered[::-1]):
        refused = refusal(partial(guards.check_offers, order))
        assert (refused.param, refused.code) == ("tools", "invalid_value")
        assert "the function name 'search' belongs to the tool 'file_search'" in refused.message


@pytest.mark.parametrize(("tool", "name"), [(FileSearchTool(), "file_search"), (CodeInterpreterTool(), "code_interp")])
def test_a_tool_that_this_server_does_not_have_is_refused(tool: Tool, name: str) -> None:
    guards.check_tools_available([TOOL], ())
    guards.check_tools_available([TOOL, tool], {"file_search", "code_interpreter"})
    refused = refusal(lambda: guards.check_tools_available([TOOL, tool], {"other"}))
    assert name in refused.message
    assert (refused.param, refused.code) == ("tools", "unsupported_tool")


@pytest.mark.parametrize(
    ("choice", "tools"),
    [
        ("auto", []),
        ("none", []),
        ("none", [TOOL]),
        ("required", [TOOL]),
        (NAMED, [TOOL]),
        (NamedToolChoice(type="file_search"), [FileSearchTool()]),
    ],
)
def test_a_tool_choice_among_the_runs_tools_is_accepted(choice: ToolChoice, tools: list[Tool]) -> None:
    guards.check_tool_choice(choice, tools)


@pytest.mark.parametrize(
    ("choice", "tools", "words"),
    [
        ("required", [], "'required' needs at least one tool"),
        (NAMED, [], "the function 'weather' is not among this run's tools"),
        (NamedToolChoice(type="file_search"), [TOOL], "the tool 'file_search' is not among this run's tools"),
        (NamedToolChoice(type="function"), [TOOL], "Missing required parameter: 'tool_choice.function'."),
    ],
)
def test_a_tool_choice_outside_the_runs_tools_is_refused(choice: ToolChoice, tools: list[Tool], words: str) -> None:
    assert words in refusal(lambda: guards.check_tool_choice(choice, tools)).message


def test_last_messages_needs_a_number() -> None:
    guards.check_truncation(TruncationStrategy())
    guards.check_truncation(TruncationStrategy(type="last_messages", last_messages=3))
    refused = refusal(lambda: guards.check_truncation(TruncationStrategy(type="last_messages")))
    assert refused.message == "Missing required parameter: 'truncation_strategy.last_messages'."
    assert refused.param == "truncation_strategy.last_messages"


def test_an_option_of_more_than_a_megabyte_is_refused() -> None:
    guards.check_sizes(tools=[TOOL], response_format="auto", tool_resources=None, tool_choice=UNSET)
    big = FunctionTool(function=Function(name="big", parameters={"description": "x" * 1024 * 1024}))
    refused = refusal(lambda: guards.check_sizes(tools=[big]))
    assert (refused.param, refused.code) == ("tools", "invalid_value")
    assert refused.message.endswith("bytes of JSON. At most 1,048,576 are accepted.")


def test_the_ids_of_many_or_long_outputs_are_shortened_in_the_message() -> None:
    outputs = [ToolOutput(tool_call_id="x" * 100_000, output="")] * 1000
    refused = refusal(lambda: guards.check_outputs(waiting("call_a"), outputs))
    assert refused.message.startswith("Expected tool outputs for call_ids ['call_a'], got ['xxx")
    assert refused.message.endswith("and 900 more")
    assert len(refused.message) < 12_000


def test_outputs_have_two_million_characters_together() -> None:
    half = [ToolOutput(tool_call_id=id, output="x" * 1024 * 1024) for id in ("call_a", "call_b")]
    assert len(guards.check_outputs(waiting("call_a", "call_b"), half)) == 2
    longer = [half[0], ToolOutput(tool_call_id="call_b", output="x" * (1024 * 1024 + 1))]
    refused = refusal(lambda: guards.check_outputs(waiting("call_a", "call_b"), longer))
    assert (refused.param, refused.code) == ("tool_outputs", "invalid_value")
    assert "have 2,097,153 characters together" in refused.message
