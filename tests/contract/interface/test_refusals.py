"""Errors are the same on every deployment. The messages are those of the contract, section 8."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from runstead.interface import Interface
from runstead.wire.assistant import AssistantRequest
from runstead.wire.error import ApiError, BadRequest, NotFound
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, RunRequest, ThreadRunRequest
from runstead.wire.tool import ToolOutput
from tests.contract.interface.harness import WEATHER, Harness
from tests.support.waiting import within

Call: TypeAlias = Callable[[Interface, Run], Awaitable[Any] | AsyncIterator[Any]]

SAID = MessageRequest(role="user", content="Hi")
OUTPUTS = [ToolOutput(tool_call_id="call_1", output="")]


async def refusal(call: Awaitable[Any] | AsyncIterator[Any]) -> ApiError:
    """The error of a call or a stream."""
    with pytest.raises(ApiError) as refused:
        await _finish(call)
    return refused.value


async def _finish(call: Awaitable[Any] | AsyncIterator[Any]) -> None:
    async with within():
        if isinstance(call, Awaitable):
            await call
        else:
            async for _ in call:
                pass


UNKNOWN: list[tuple[str, str, Call]] = [
    ("assistant", "asst_x", lambda rs, run: rs.get_assistant("asst_x")),
    ("assistant", "asst_x", lambda rs, run: rs.create_run(run.thread_id, RunRequest(assistant_id="asst_x"))),
    ("assistant", "asst_x", lambda rs, run: rs.create_thread_run(ThreadRunRequest(assistant_id="asst_x"))),
    ("thread", "thread_x", lambda rs, run: rs.get_thread("thread_x")),
    ("thread", "thread_x", lambda rs, run: rs.delete_thread("thread_x")),
    ("thread", "thread_x", lambda rs, run: rs.messages("thread_x")),
    ("thread", "thread_x", lambda rs, run: rs.create_message("thread_x", SAID)),
    ("thread", "thread_x", lambda rs, run: rs.create_run("thread_x", RunRequest(assistant_id=run.assistant_id))),
    (
        "thread",
        "thread_x",
        lambda rs, run: rs.create_streaming_run("thread_x", RunRequest(assistant_id=run.assistant_id)),
    ),
    ("thread", "thread_x", lambda rs, run: rs.get_run("thread_x", run.id)),
    ("message", "msg_x", lambda rs, run: rs.get_message(run.thread_id, "msg_x")),
    ("message", "msg_x", lambda rs, run: rs.messages(run.thread_id, after="msg_x")),
    ("run", "run_x", lambda rs, run: rs.get_run(run.thread_id, "run_x")),
    ("run", "run_x", lambda rs, run: rs.update_run(run.thread_id, "run_x", {})),
    ("run", "run_x", lambda rs, run: rs.cancel(run.thread_id, "run_x")),
    ("run", "run_x", lambda rs, run: rs.submit_tool_output(run.thread_id, "run_x", OUTPUTS)),
    ("run", "run_x", lambda rs, run: rs.submit_streaming_tool_output(run.thread_id, "run_x", OUTPUTS)),
    ("run", "run_x", lambda rs, run: rs.run_steps(run.thread_id, "run_x")),
    ("run", "run_x", lambda rs, run: rs.run_events(run.thread_id, "run_x")),
    ("run", "run_x", lambda rs, run: rs.runs(run.thread_id, before="run_x")),
    ("run step", "step_x", lambda rs, run: rs.run_step(run.thread_id, run.id, "step_x")),
]

WRONG_KIND: list[tuple[str, str, Call]] = [
    ("assistant_id", "asst", lambda rs, run: rs.get_assistant("wf_1")),
    ("assistant_id", "asst", lambda rs, run: rs.create_run(run.thread_id, RunRequest(assistant_id="wf_1"))),
    ("thread_id", "thread", lambda rs, run: rs.get_thread("wf_1")),
    ("thread_id", "thread", lambda rs, run: rs.runs("wf_1")),
    ("message_id", "msg", lambda rs, run: rs.get_message(run.thread_id, "wf_1")),
    ("run_id", "run", lambda rs, run: rs.get_run(run.thread_id, "wf_1")),
    ("run_id", "run", lambda rs, run: rs.run_events(run.thread_id, "wf_1")),
    ("step_id", "step", lambda rs, run: rs.run_step(run.thread_id, run.id, "wf_1")),
]

WRONG: list[tuple[str, str | None, str | None, Call]] = [
    (
        "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead.",
        "limit",
        "integer_above_max_value",
        lambda rs, run: rs.runs(run.thread_id, limit=101),
    ),
    (
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
        "temperature",
        "decimal_above_max_value",
        lambda rs, run: rs.create_run(run.thread_id, RunRequest(assistant_id=run.assistant_id, temperature=3)),
    ),
    (
        "Invalid 'max_completion_tokens': integer below minimum value. Expected a value >= 256, but got 16 instead.",
        "max_completion_tokens",
        "integer_below_min_value",
        lambda rs, run: rs.create_run(
            run.thread_id, RunRequest(assistant_id=run.assistant_id, max_completion_tokens=16)
        ),
    ),
    (
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, "
        "but got an object with 17 properties instead.",
        "metadata",
        "object_above_max_properties",
        lambda rs, run: rs.update_run(run.thread_id, run.id, {str(n): "" for n in range(17)}),
    ),
    (
        "Invalid 'name': string too long. Expected a string with maximum length 256, "
        "but got a string with length 300 instead.",
        "name",
        "string_above_max_length",
        lambda rs, run: rs.create_assistant(AssistantRequest(model="m", name="x" * 300)),
    ),
    (
        "Invalid 'after': 'x'. Expected the id of an event, such as '17' or '17.4'.",
        "after",
        "invalid_value",
        lambda rs, run: rs.run_events(run.thread_id, run.id, "x"),
    ),
    (
        "Invalid 'tools': the function name 'weather' is used twice.",
        "tools",
        "invalid_value",
        lambda rs, run: rs.create_assistant(AssistantRequest(model="m", tools=[WEATHER, WEATHER])),
    ),
    (
        "Cannot cancel run with status 'completed'.",
        None,
        None,
        lambda rs, run: rs.cancel(run.thread_id, run.id),
    ),
    (
        'Runs in status "completed" do not accept tool outputs.',
        None,
        None,
        lambda rs, run: rs.submit_tool_output(run.thread_id, run.id, OUTPUTS),
    ),
    (
        'Runs in status "completed" do not accept tool outputs.',
        None,
        None,
        lambda rs, run: rs.submit_streaming_tool_output(run.thread_id, run.id, OUTPUTS),
    ),
]


async def test_an_unknown_id_is_not_found_and_named(harness: Harness) -> None:
    run = await harness.ended(await harness.start())
    for kind, id, call in UNKNOWN:
        refused = await refusal(call(harness.rs, run))
        assert isinstance(refused, NotFound)
        assert refused.message == f"No {kind} found with id '{id}'."
        assert (refused.status, refused.param, refused.code) == (404, None, None)


@pytest.mark.parametrize("character", ["\0", "\r\n", " ", "*", "é"])
async def test_an_id_with_other_characters_is_refused_and_such_a_cursor_is_unknown(
    harness: Harness, character: str
) -> None:
    run = await harness.ended(await harness.start())
    for call in (
        harness.rs.get_thread(f"thread_{character}"),
        harness.rs.get_run(run.thread_id, f"run_{character}"),
        harness.rs.run_events(run.thread_id, f"run_{character}"),
        harness.rs.messages(run.thread_id, run_id=f"run_{character}"),
    ):
        refused = await refusal(call)
        assert isinstance(refused, BadRequest)
        assert "Expected an ID that contains letters, numbers, underscores, or dashes" in refused.message
    for call in (
        harness.rs.messages(run.thread_id, after=f"msg_{character}"),
        harness.rs.messages(run.thread_id, before=f"msg_{character}"),
    ):
        assert isinstance(await refusal(call), NotFound)


async def test_an_id_of_another_kind_is_refused(harness: Harness) -> None:
    run = await harness.ended(await harness.start())
    for param, prefix, call in WRONG_KIND:
        refused = await refusal(call(harness.rs, run))
        assert isinstance(refused, BadRequest)
        assert refused.message == f"Invalid '{param}': 'wf_1'. Expected an ID that begins with '{prefix}'."
        assert (refused.status, refused.param, refused.code) == (400, param, "invalid_value")


async def test_an_invalid_call_has_the_message_of_the_contract(
    harness: Harness, request: pytest.FixtureRequest
) -> None:
    run = await harness.ended(await harness.start())
    engine = "engine" in request.node.name
    for message, param, code, call in WRONG:
        if engine and code is not None and (("value" in code and "_m" in code) or "above" in code):
            continue  # the server and `open` validate types, the engine does not
        refused = await refusal(call(harness.rs, run))
        assert isinstance(refused, BadRequest)
        assert (refused.message, refused.param, refused.code) == (message, param, code)
