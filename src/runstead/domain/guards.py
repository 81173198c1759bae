"""Checks that types cannot make: what a run's status allows, and which fields fit together.

Each check raises `BadRequest`. Its message is the wire's contract where the original API had one.
"""

from collections.abc import Container, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from runstead.domain.chat.offer import Offer, kind_of
from runstead.domain.run.deadline import stop_signal
from runstead.domain.run.journal import FUNCTION
from runstead.domain.run.lifecycle import target
from runstead.wire.codec.request_errors import elide
from runstead.wire.error import BadRequest, RateLimited
from runstead.wire.message import MessageRequest
from runstead.wire.options import TruncationStrategy
from runstead.wire.run import Run, Status
from runstead.wire.tool import FunctionTool, NamedToolChoice, Tool, ToolChoice, ToolOutput

__all__ = [
    "check_cancel",
    "check_has_input",
    "check_no_on_busy",
    "check_not_past_deadline",
    "check_offers",
    "check_outputs",
    "check_sizes",
    "check_tool_choice",
    "check_tools",
    "check_tools_available",
    "check_truncation",
    "queue_full",
    "thread_busy",
    "thread_locked",
]

_MAX_SIZE = 1024 * 1024
"""Bytes of an option of an assistant or a run, as JSON. Every row and event of its runs may repeat it."""
_MAX_OUTPUTS = 2 * 1024 * 1024
"""Characters of the outputs of one request together: several times what the largest models read."""
_MAX_SHOWN_IDS = 100
"""Ids of tool calls that an error repeats at most."""
_RETRY_AFTER = 5.0
"""Seconds after which a full queue may have room again."""


def thread_busy(thread_id: str, active: str) -> BadRequest:
    """The error for a new run on a thread that has an active run."""
    return BadRequest(f"Thread {thread_id} already has an active run {active}.")


def thread_locked(thread_id: str, active: str) -> BadRequest:
    """The error for a message that is added or deleted while the thread has an active run."""
    return BadRequest(f"Can't add messages to {thread_id} while a run {active} is active.")


def queue_full(max_queued: int) -> RateLimited:
    """The error for a new run of a project that has `max_queued` queued runs."""
    error = RateLimited(
        f"This project has {max_queued} runs that wait, which is its limit. Please try again in a few seconds.",
        code="rate_limit_exceeded",
    )
    error.retry_after = _RETRY_AFTER
    return error


def check_cancel(run: Run) -> None:
    """A run can be cancelled unless it has ended or is already `cancelling`."""
    if run.status.terminal or run.status is Status.CANCELLING:
        raise BadRequest(f"Cannot cancel run with status '{run.status}'.")


def check_outputs(run: Run, outputs: Sequence[ToolOutput]) -> dict[str, str]:
    """The outputs by call id. There must be exactly one for each required call, and they must not be too long."""
    if run.status is not Status.REQUIRES_ACTION or run.required_action is None:
        raise BadRequest(f'Runs in status "{run.status}" do not accept tool outputs.')
    expected = [call.id for call in run.required_action.submit_tool_outputs.tool_calls]
    got = [output.tool_call_id for output in outputs]
    if sorted(got) != sorted(expected):
        raise BadRequest(f"Expected tool outputs for call_ids {_shown(expected)}, got {_shown(got)}")
    size = sum(len(output.output) for output in outputs)
    if size > _MAX_OUTPUTS:
        raise BadRequest(
            f"Invalid 'tool_outputs': the outputs have {size:,} characters together. "
            f"At most {_MAX_OUTPUTS:,} are accepted.",
            param="tool_outputs",
            code="invalid_value",
        )
    return {output.tool_call_id: output.output for output in outputs}


def check_not_past_deadline(run: Run, now: int) -> None:
    """A run accepts no tool outputs after its deadline, even if it has not been marked as ended yet."""
    signal = stop_signal(run, now)
    if run.status is Status.REQUIRES_ACTION and signal is not None:
        raise BadRequest(f'Runs in status "{target(run.status, signal)}" do not accept tool outputs.')


def check_no_on_busy(messages: Sequence[MessageRequest], param: str) -> None:
    """Messages that are created together with a run or a thread have no `on_busy` of their own."""
    for index, message in enumerate(messages):
        if message.on_busy is not UNSET and message.on_busy is not None:
            where = f"{param}[{index}].on_busy"
            raise BadRequest(
                f"Invalid '{where}': a message that is created with a run or a thread has no 'on_busy' of its own. "
                "Set it for the run or the thread, or create the message by itself.",
                param=where,
                code="unsupported_parameter",
            )


def check_has_input(run: Run, *, empty_thread: bool) -> None:
    """A run needs a message on its thread, or instructions."""
    if empty_thread and not run.instructions:
        raise BadRequest(
            "Run creation requires a Thread with a user message or an assistant with instructions.",
            code="invalid_thread",
        )


def check_tools(tools: Sequence[Tool]) -> None:
    """Function names are unique, because a tool call names its function."""
    names = [tool.function.name for tool in tools if isinstance(tool, FunctionTool)]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise BadRequest(
                f"Invalid 'tools': the function name '{name}' is used twice.", param="tools", code="invalid_value"
            )


def check_offers(offered: Sequence[Offer]) -> None:
    """No two functions have one name, of the client's and the server's: a call could not tell which is meant."""
    tools: dict[str, str] = {}
    for tool, function in offered:
        other = tools.setdefault(function.name, tool)
        if other != tool:
            raise BadRequest(
                f"Invalid 'tools': the function name '{function.name}' belongs to the tool "
                f"'{tool if other == FUNCTION else other}'. Rename the function.",
                param="tools",
                code="invalid_value",
            )


def check_sizes(**options: Any) -> None:
    """No option, named by its parameter, is longer than 1 MiB. Schemas and lists of ids have no other limit."""
    for param, value in options.items():
        if value is UNSET or value is None or isinstance(value, str):
            continue
        size = len(msgspec.json.encode(value))
        if size > _MAX_SIZE:
            raise BadRequest(
                f"Invalid '{param}': it has {size:,} bytes of JSON. At most {_MAX_SIZE:,} are accepted.",
                param=param,
                code="invalid_value",
            )


def check_tools_available(tools: Sequence[Tool], served: Container[str]) -> None:
    """A run may only use tools that this server has: an answer without them would hide that they are missing.

    `served` are the kinds of tools that the server runs itself.
    """
    for tool in tools:
        name = kind_of(tool)
        if not isinstance(tool, FunctionTool) and name not in served:
            raise BadRequest(
                f"The tool '{name}' is not available on this server. Remove it from the assistant, or from this run "
                "with 'tools'.",
                param="tools",
                code="unsupported_tool",
            )


def check_tool_choice(choice: ToolChoice, tools: Sequence[Tool]) -> None:
    """A tool that the model must use is named, and is one of the run's tools."""
    if choice == "required" and not tools:
        raise BadRequest(
            "Invalid 'tool_choice': 'required' needs at least one tool.", param="tool_choice", code="invalid_value"
        )
    if not isinstance(choice, NamedToolChoice):
        return
    if choice.type != "function":
        kinds = [kind_of(tool) for tool in tools]
        if choice.type not in kinds:
            raise BadRequest(
                f"Invalid 'tool_choice': the tool '{choice.type}' is not among this run's tools.",
                param="tool_choice",
                code="invalid_value",
            )
        return
    if choice.function is UNSET:
        raise BadRequest(
            "Missing required parameter: 'tool_choice.function'.",
            param="tool_choice.function",
            code="missing_required_parameter",
        )
    names = [tool.function.name for tool in tools if isinstance(tool, FunctionTool)]
    if choice.function.name not in names:
        raise BadRequest(
            f"Invalid 'tool_choice': the function '{elide(choice.function.name)}' is not among this run's tools.",
            param="tool_choice",
            code="invalid_value",
        )


def check_truncation(strategy: TruncationStrategy) -> None:
    """A strategy of type `last_messages` has their number."""
    if strategy.type == "last_messages" and strategy.last_messages is None:
        raise BadRequest(
            "Missing required parameter: 'truncation_strategy.last_messages'.",
            param="truncation_strategy.last_messages",
            code="missing_required_parameter",
        )


def _shown(ids: Sequence[str]) -> str:
    """The ids in an error, the first hundred at most, each shortened."""
    shown = repr([elide(id) for id in ids[:_MAX_SHOWN_IDS]])
    return shown if len(ids) <= _MAX_SHOWN_IDS else f"{shown} and {len(ids) - _MAX_SHOWN_IDS} more"
